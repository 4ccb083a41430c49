"""The second stage: presidio-evaluator's sentences by type, and names of several locales in English feedback."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faker import Faker

from tests.bench.recall.score import Cell, tally
from tests.support import envs

CLAIMED = ("PERSON", "GPE", "STREET_ADDRESS")
LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "sv_SE", "pt_BR", "tr_TR")
_SENTENCES = (
    "My colleague {} got the same wrong answer yesterday.",
    "Please tell {} that the refund never came.",
    "{} from support promised me a call and nothing happened.",
    "The summary calls me {}, which is right, but the rest is wrong.",
    "i talked to {} last week about the invoice",
)
_ROOT = Path(__file__).resolve().parents[3]


def found(texts: Sequence[str], entities: str = "") -> tuple[str, list[list[tuple[int, int]]]]:
    """The model, and the spans that it finds in each text."""
    environment = os.environ | {"PYTHONPATH": f"{_ROOT / 'operator'}:{_ROOT}", "FL_NAMED_ENTITIES": entities}
    command = [str(envs.ensure("named") / "bin/python"), str(Path(__file__).with_name("named_run.py"))]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    model, *spans = done.stdout.splitlines()
    return model, [[(start, end) for start, end in json.loads(line)] for line in spans]


def named_sentences(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many sentences a locale with a name in it."""
    source = random.Random(f"named/{seed}")
    for locale in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(source.getrandbits(32))
        for _ in range(count):
            name, sentence = f"{fake.first_name()} {fake.last_name()}", source.choice(_SENTENCES)
            start = sentence.index("{}")
            yield {"text": sentence.format(name), "spans": [[f"PERSON {locale}", start, start + len(name)]]}


def score(
    sentences: Sequence[Mapping[str, Any]], spans: Sequence[Sequence[tuple[int, int]]]
) -> tuple[dict[str, Cell], Cell]:
    """By type, and of all that was found."""
    cells: dict[str, Cell] = defaultdict(Cell)
    total = Cell()
    for sentence, places in zip(sentences, spans, strict=True):
        tally(cells, total, sentence, places)
    return dict(cells), total


def table(model: str, cells: Mapping[str, Cell], total: Cell, locales: Mapping[str, Cell], names: Cell) -> str:
    """For docs/recall.md."""
    lines = [f"Model: `{model}`.", "", "| type | spans | found whole | recall |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {cells[kind].samples} | {cells[kind].covered} | {cells[kind].recall:.3f} |" for kind in CLAIMED
    ]
    lines += ["", f"Of the replaced letters and digits {total.precision:.3f} belong to a span of some type.", ""]
    lines += ["Names in English feedback sentences, by where the names come from:", ""]
    lines += [
        "| " + " | ".join(kind.split()[1] for kind in locales) + " | precision |",
        "|---" * (len(locales) + 1) + "|",
    ]
    lines.append("| " + " | ".join(f"{cell.recall:.3f}" for cell in locales.values()) + f" | {names.precision:.3f} |")
    return "\n".join(lines)
