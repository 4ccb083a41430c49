"""A view: a text made from another by edits, with an offset map back to it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Edit = tuple[int, int, str]
"""Start and end in the parent's text, and what stands there instead."""


class View:
    """A text and where it came from. Spans of an edit lead to the whole of what it replaced."""

    __slots__ = ("_from", "_kept", "_parent", "_size", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parent: View | None = None

    def edited(self, edits: Iterable[Edit]) -> View:
        """This view with some edits, which are in order and do not overlap; itself when there are none."""
        parts: list[str] = []
        starts: list[int] = []
        origins: list[int] = []
        kept: list[bool] = []
        at = size = 0

        def add(part: str, origin: int, keep: bool) -> None:
            nonlocal size
            parts.append(part)
            starts.append(size)
            origins.append(origin)
            kept.append(keep)
            size += len(part)

        for start, end, text in edits:
            if start > at:
                add(self.text[at:start], at, True)
            add(text, start, False)
            at = end
        if not parts:
            return self
        add(self.text[at:], at, True)
        view = View("".join(parts))
        view._parent, view._starts, view._from, view._kept, view._size = self, starts, origins, kept, len(self.text)
        return view

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a span here, with characters at its end that this view left out."""
        if self._parent is None:
            return start, end
        return self._parent.span(self._first(start), self._stop(end))

    def _first(self, start: int) -> int:
        index = bisect_right(self._starts, start) - 1
        return self._from[index] + (start - self._starts[index] if self._kept[index] else 0)

    def _stop(self, end: int) -> int:
        index = bisect_right(self._starts, end) - 1
        if self._starts[index] == end:
            return self._from[index]
        if self._kept[index]:
            return self._from[index] + end - self._starts[index]
        return self._from[index + 1] if index + 1 < len(self._from) else self._size
