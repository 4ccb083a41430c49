"""Long texts in pieces: language models take memory by the length of a text, a gigabyte for 100 000 characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from feedbackloop.jobs.named.engine import Engine, Found

SIZE, OVERLAP = 8192, 256
"""In characters. A name that a cut divides is whole in the next piece."""


class Piece(NamedTuple):
    text: int
    """Which text it is of."""
    offset: int
    content: str


def pieces(texts: Sequence[str], size: int = SIZE, overlap: int = OVERLAP) -> Iterator[Piece]:
    """The texts in pieces that overlap, cut at white space where there is some."""
    for number, text in enumerate(texts):
        offset = 0
        while len(text) - offset > size:
            end = _cut(text, offset, size)
            yield Piece(number, offset, text[offset:end])
            offset = max(end - overlap, offset + 1)
        yield Piece(number, offset, text[offset:])


def _cut(text: str, offset: int, size: int) -> int:
    space = text.rfind(" ", offset + size // 2, offset + size)
    return space if space > 0 else offset + size


def find(engine: Engine, texts: Sequence[str]) -> list[list[Found]]:
    """What the engine finds in the texts, however long they are; overlapping findings become one."""
    cut = list(pieces(texts))
    found: list[list[Found]] = [[] for _ in texts]
    for piece, names in zip(cut, engine.find([piece.content for piece in cut]), strict=True):
        found[piece.text] += (Found(each.start + piece.offset, each.end + piece.offset, each.kind) for each in names)
    return [list(_merged(names)) for names in found]


def _merged(names: Iterable[Found]) -> Iterator[Found]:
    last: Found | None = None
    for each in sorted(names, key=lambda name: (name.start, -name.end)):
        if last is not None and each.start < last.end:
            last = Found(last.start, max(last.end, each.end), last.kind)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
