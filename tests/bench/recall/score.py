"""Scores: whether all of a value went, and what else did."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.recall.sample import Sample

TOKEN = re.compile(r"<[A-Z][A-Z0-9_]*_[0-9]+>")
Redact = Callable[[str], str]


def replaced_spans(text: str, redacted: str) -> list[tuple[int, int]]:
    """Which spans of the text became tokens: what stands between tokens stands in the text in the same order."""
    pieces = TOKEN.split(redacted)
    spans: list[tuple[int, int]] = []
    at = len(pieces[0])
    assert text.startswith(pieces[0])
    for number, piece in enumerate(pieces[1:], 1):
        last = number == len(pieces) - 1
        start = len(text) - len(piece) if last else text.index(piece, at + 1)
        spans.append((at, start))
        at = start + len(piece)
    return spans


@dataclass
class Cell:
    """Counts of one type and transform."""

    samples: int = 0
    covered: int = 0
    right_chars: int = 0
    wrong_chars: int = 0
    missed: list[Sample] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.covered / self.samples if self.samples else float("nan")

    @property
    def precision(self) -> float:
        """The share of replaced letters and digits that belonged to a value."""
        whole = self.right_chars + self.wrong_chars
        return self.right_chars / whole if whole else float("nan")


def score(samples: Iterable[Sample], redact: Redact) -> dict[tuple[str, str], Cell]:
    """By type and transform. A value counts as found when every letter and digit of it is gone."""
    cells: dict[tuple[str, str], Cell] = defaultdict(Cell)
    for sample in samples:
        cell = cells[sample.kind, sample.transform]
        gone: set[int] = set()
        for start, end in replaced_spans(sample.text, redact(sample.text)):
            gone.update(range(start, end))
        wanted = {at for at in range(sample.start, sample.end) if sample.text[at].isalnum()}
        cell.samples += 1
        cell.covered += wanted <= gone
        if not wanted <= gone:
            cell.missed.append(sample)
        alnum = {at for at in gone if sample.text[at].isalnum()}
        cell.right_chars += len(alnum & wanted)
        cell.wrong_chars += len(alnum - wanted)
    return dict(cells)


def letters(text: str, spans: Iterable[tuple[int, int]]) -> set[int]:
    """Where the letters and digits of these spans are."""
    return {at for start, end in spans for at in range(start, end) if text[at].isalnum()}


def tally(
    cells: dict[str, Cell], total: Cell, sentence: Mapping[str, Any], places: Sequence[tuple[int, int]]
) -> list[tuple[str, int, int]]:
    """Counts what was replaced (`places`) of one sentence with spans of several types; the spans that were missed."""
    text, private, missed = sentence["text"], set[int](), list[tuple[str, int, int]]()
    gone = letters(text, places)
    for kind, start, end in sentence["spans"]:
        wanted = letters(text, [(start, end)])
        cells[kind].samples += 1
        cells[kind].covered += wanted <= gone
        private |= wanted
        if not wanted <= gone:
            missed.append((kind, start, end))
    total.right_chars += len(gone & private)
    total.wrong_chars += len(gone - private)
    return missed


@dataclass
class Clean:
    """Counts of texts in which nothing is private."""

    texts: int = 0
    untouched: int = 0
    chars: int = 0
    redactions: int = 0
    touched: list[tuple[str, str]] = field(default_factory=list)

    @property
    def per_thousand_chars(self) -> float:
        return 1000 * self.redactions / self.chars if self.chars else float("nan")


def score_clean(texts: Iterable[tuple[str, str]], redact: Redact) -> dict[str, Clean]:
    """By the name of what the texts look like."""
    found: dict[str, Clean] = defaultdict(Clean)
    for name, text in texts:
        redacted = redact(text)
        clean = found[name]
        clean.texts += 1
        clean.chars += len(text)
        clean.redactions += len(TOKEN.findall(redacted))
        clean.untouched += redacted == text
        if redacted != text:
            clean.touched.append((text, redacted))
    return dict(found)
