"""docs/recall.md: the generated sections between its markers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.bench.recall.evaluator import CLAIMED
from tests.bench.recall.score import Cell, Clean
from tests.bench.recall.transforms import TRANSFORMS
from tests.bench.recall.values import MAKERS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recall.md"


def matrix(cells: Mapping[tuple[str, str], Cell]) -> str:
    """Recall by transform (rows) and type (columns), with the precision of all that was replaced."""
    head = ["| transform | " + " | ".join(MAKERS) + " | precision |", "|---|" + "---|" * (len(MAKERS) + 1)]
    rows = []
    for transform in TRANSFORMS:
        row = {kind: cells[kind, transform] for kind in MAKERS if (kind, transform) in cells}
        numbers = [f"{row[kind].recall:.3f}" if kind in row else "" for kind in MAKERS]
        rows.append(f"| {transform} | {' | '.join(numbers)} | {_precision(row.values()):.3f} |")
    counts = [str(sum(cell.samples for (of, _), cell in cells.items() if of == kind)) for kind in MAKERS]
    return "\n".join([*head, *rows, f"| samples | {' | '.join(counts)} | |"])


def _precision(cells: Iterable[Cell]) -> float:
    right = wrong = 0
    for cell in cells:
        right, wrong = right + cell.right_chars, wrong + cell.wrong_chars
    return right / (right + wrong) if right + wrong else math.nan


def clean(found: Mapping[str, Clean]) -> str:
    """Texts without anything private: how many stayed as they were."""
    lines = ["| what it looks like | texts | untouched | redactions per 1 000 characters |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {each.texts} | {each.untouched / each.texts:.3f} | {each.per_thousand_chars:.2f} |"
        for name, each in sorted(found.items())
    ]
    everything = total(found)
    share, rate = everything.untouched / everything.texts, everything.per_thousand_chars
    return "\n".join([*lines, f"| **all** | {everything.texts} | {share:.4f} | {rate:.3f} |"])


def total(found: Mapping[str, Clean]) -> Clean:
    """The sum over all names."""
    return Clean(
        texts=sum(each.texts for each in found.values()),
        untouched=sum(each.untouched for each in found.values()),
        chars=sum(each.chars for each in found.values()),
        redactions=sum(each.redactions for each in found.values()),
    )


def evaluator(cells: Mapping[str, Cell], everything: Cell) -> str:
    """The templates of presidio-evaluator, by its types."""
    lines = ["| type | spans | found whole | recall |", "|---|---|---|---|"]
    for kind, cell in sorted(cells.items(), key=lambda item: (item[0] not in CLAIMED, item[0])):
        recall = f"{cell.recall:.3f}" if kind in CLAIMED else f"{cell.recall:.3f} (not claimed)"
        lines.append(f"| {kind} | {cell.samples} | {cell.covered} | {recall} |")
    return "\n".join(
        [*lines, "", f"Of the replaced letters and digits {everything.precision:.3f} belong to a span of some type."]
    )


def write(sections: Mapping[str, str]) -> None:
    """Replaces what stands between the markers of each section."""
    page = PAGE.read_text()
    for name, text in sections.items():
        begin, end = f"<!-- {name}: written by make bench-recall -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        assert pattern.search(page), f"{PAGE} has no section {name}"
        before, _, after = pattern.sub("\0", page).partition("\0")
        page = f"{before}{begin}\n{text}\n{end}{after}"
    PAGE.write_text(page)
