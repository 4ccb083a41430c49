"""`make bench-redaction`: what redaction costs, over the same patterns one by one and over a bare scan.

Records of 2.2 KB, as many clean ones as feedback has (three out of four); in one interleaved run (A B C A B C …) the
redactor, the same detectors and readings one after the other over the same folded text,
without a gate, and the Vectorscan scan alone.
CPU time of this process. Before anything is timed, the two ways are checked against each other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence

from feedbackloop.events.redaction import Redactor
from feedbackloop.events.redaction.detectors import DETECTORS
from feedbackloop.events.redaction.gate import Gate
from feedbackloop.events.redaction.views import READINGS
from feedbackloop.events.redaction.views.folding import folded
from tests.bench.recall.values import MAKERS

SIZE = 2200
RECORDS = 200
WITH_VALUES = 0.27
ROUNDS = 9
_SENTENCES = (
    "The answer about the refund window is not right.",
    "It says fourteen days, but since the spring the shop gives thirty days for everything that was bought online.",
    "Please look at the page about returns again; it has been changed twice, and others got the same answer.",
    "I asked in other words and it said that the receipt is enough, which is true only in the shops.",
    "The rest was fine and quick, thank you very much!",
    "We use version 2.4.1 on Linux, and the example with std::vector does not compile there.",
    "On 2026-11-23 the price was 1,299.00 EUR, the day after 1,349.00 EUR.",
    "Three of five answers were good, one was a little long (about 400 words) and one had nothing to do with it.",
    "\n\nWhat I would like to see:\n- the date of the source,\n- a link to it,\n- fewer apologies.",
    "My colleague at the office says the API returned 404 for the second page, is that possible?",
    "Could you explain the difference between the two plans? The table on the page is hard to read on a phone.",
    "It is the third time that I ask for the same thing, so I am a bit annoyed; still, the tone was friendly.",
    "The summary left out the second half of the document, from the section on warranty to the end.",
    "Translated into German it became \u201eR\u00fcckgabefenster\u201c, which nobody says.",
)


def record(source: random.Random, private: bool) -> str:
    """A text of `SIZE` characters, with one or two private values in it or none."""
    sentences: list[str] = []
    while sum(map(len, sentences)) + len(sentences) < SIZE:
        sentences.append(source.choice(_SENTENCES))
    if private:
        for _ in range(source.randint(1, 2)):
            value = MAKERS[source.choice([*MAKERS])](source, "en_US")
            sentences.insert(source.randrange(len(sentences) - 1), f"This is mine: {value}.")
    return " ".join(sentences)[:SIZE]


def one_by_one(text: str) -> int:
    """Every detector and every reading over the folded text; how many spans the detectors found."""
    plain = folded(text)
    for reading in READINGS:
        for _ in reading.edits(plain):
            pass
    return sum(1 for detector in DETECTORS for _ in detector.find(plain))


def microseconds(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """CPU time a text."""
    start = time.process_time_ns()
    for text in texts:
        work(text)
    return (time.process_time_ns() - start) / len(texts) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run that only shows that it works")
    rounds = 2 if parser.parse_args().quick else ROUNDS
    source = random.Random(20_261_124)
    records = [record(source, source.random() < WITH_VALUES) for _ in range(RECORDS)]
    redactor, gate = Redactor(), Gate(DETECTORS)
    clean = [text for text in records if redactor.redact_text(text) == text]
    assert all(one_by_one(text) == 0 for text in clean), "the gate kept a finding back"
    samples: dict[str, list[float]] = {"redact.vs_plain_re": [], "redact.clean_us": [], "redact.clean_vs_scan": []}
    for _ in range(rounds):
        ours, plain = microseconds(redactor.redact_text, records), microseconds(one_by_one, records[:20])
        ours_clean, scan = microseconds(redactor.redact_text, clean * 5), microseconds(gate.open_for, clean * 5)
        samples["redact.vs_plain_re"].append(plain / ours)
        samples["redact.clean_us"].append(ours_clean)
        samples["redact.clean_vs_scan"].append(ours_clean / scan)
    goals = {"redact.vs_plain_re": ">=20", "redact.clean_us": "<=12", "redact.clean_vs_scan": "<=1.5"}
    for figure, values in samples.items():
        line = {
            "figure": figure,
            "value": round(statistics.median(values), 2),
            "unit": "us" if figure.endswith("_us") else "ratio",
            "goal": goals[figure],
            "samples": [round(value, 2) for value in values],
            "load": round(os.getloadavg()[0], 2),
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
