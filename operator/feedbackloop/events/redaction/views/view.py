"""A view: a text made from another by edits, with an offset map back to it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Edit = tuple[int, int, str]
"""Start and end in the parent's text, and what stands there instead."""


class _Map:
    """Pieces of a text: where each begins here and in the parent, and whether it is the same there."""

    __slots__ = ("kept", "origins", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.origins: list[int] = []
        self.kept: list[bool] = []

    def add(self, start: int, origin: int, kept: bool) -> None:
        self.starts.append(start)
        self.origins.append(origin)
        self.kept.append(kept)

    def first(self, start: int) -> int:
        """The parent's index of a span's start."""
        index = bisect_right(self.starts, start) - 1
        return self.origins[index] + (start - self.starts[index] if self.kept[index] else 0)

    def stop(self, end: int) -> int:
        """The parent's index of a span's end, behind whatever was left out there."""
        index = bisect_right(self.starts, end) - 1
        start, origin = self.starts[index], self.origins[index]
        if start == end or self.kept[index]:
            return origin + end - start
        return self.origins[index + 1]


class View:
    """A text and where it came from. Spans of an edit lead to the whole of what it replaced."""

    __slots__ = ("_map", "_parent", "text")

    def __init__(self, text: str, parent: View | None = None, way_back: _Map | None = None) -> None:
        self.text = text
        self._parent = parent
        self._map = way_back

    def edited(self, edits: Iterable[Edit]) -> View:
        """This view with some edits, which are in order and do not overlap; itself when there are none."""
        parts: list[str] = []
        way_back = _Map()
        at = size = 0
        for start, end, text in edits:
            if start > at:
                parts.append(self.text[at:start])
                way_back.add(size, at, True)
                size += start - at
            parts.append(text)
            way_back.add(size, start, False)
            size += len(text)
            at = end
        if not parts:
            return self
        way_back.add(size, at, True)
        return View("".join((*parts, self.text[at:])), self, way_back)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a span here, with characters at its end that this view left out."""
        if self._parent is None or self._map is None:
            return start, end
        return self._parent.span(self._map.first(start), self._map.stop(end))
