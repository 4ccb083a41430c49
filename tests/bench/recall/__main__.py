"""One command: measures, writes docs/recall.md, and fails where a goal is missed by more than a point."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping

from feedbackloop.events.redaction import Redactor
from tests.bench.recall import evaluator, named, report
from tests.bench.recall.generate import samples
from tests.bench.recall.negatives import negatives
from tests.bench.recall.score import Cell, score, score_clean

SEED = 20_261_124
Figure = tuple[str, float, float]
"""Name, value, least value."""


def figures(cells: Mapping[tuple[str, str], Cell], untouched: float, peers: Mapping[str, Cell]) -> Iterator[Figure]:
    """The numbers that have goals."""
    for (kind, transform), cell in cells.items():
        goal = 0.85 if kind == "Phone" else 0.98 if transform == "plain" else 0.90
        yield f"recall.{kind}.{transform.replace(' ', '_')}", cell.recall, goal
    yield "recall.clean_untouched", untouched, 0.98
    for kind, name in evaluator.CLAIMED.items():
        yield f"recall.presidio_templates.{name}", peers[kind].recall, 0.85 if name == "Phone" else 0.98


def second_stage(count: int) -> tuple[list[Figure], str]:
    """Its figures and its table."""
    sentences, people = list(evaluator.sentences(count, SEED)), list(named.named_sentences(60, SEED))
    model, spans = named.found([each["text"] for each in [*sentences, *people]])
    cells, total = named.score(sentences, spans[: len(sentences)])
    locales, precision = named.score(people, spans[len(sentences) :])
    goals = {"PERSON": 0.80, "GPE": 0.65, "STREET_ADDRESS": 0.50}
    figures = [(f"recall.named.{kind}", cells[kind].recall, goals[kind]) for kind in named.CLAIMED]
    return figures, named.table(model, cells, total, locales, precision)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="samples a cell")
    parser.add_argument("--sentences", type=int, default=3000, help="sentences of presidio-evaluator")
    arguments, _ = parser.parse_known_args()
    redact = Redactor().redact_text
    cells = score(samples(arguments.count, SEED), redact)
    clean = score_clean(negatives(arguments.count, SEED), redact)
    peers, everything = evaluator.score(arguments.sentences, SEED, redact)
    second, names = second_stage(arguments.sentences)
    sections = {
        "matrix": report.matrix(cells),
        "clean": report.clean(clean),
        "presidio templates": report.evaluator(peers, everything),
        "named": names,
    }
    report.write(sections)
    whole = report.total(clean)
    missed = 0
    for name, value, goal in (*figures(cells, whole.untouched / whole.texts, peers), *second):
        missed += value < goal
        print(json.dumps({"figure": name, "value": round(value, 4), "unit": "share", "goal": f">={goal}"}))
    print(f"{missed} goals missed; the tables are in {report.PAGE.name}", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
