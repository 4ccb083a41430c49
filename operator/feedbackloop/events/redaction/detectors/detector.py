"""What a detector is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedbackloop.api.collection import Entity

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]

_SEPARATORS = re.compile(r"[\s().\-/]+")


def compact(value: str) -> str:
    """A number however it is written: without separators, in lower case."""
    return _SEPARATORS.sub("", value).casefold()


@dataclass(frozen=True)
class Detector:
    """One form of an entity. Wherever `find` finds something, one of its gate patterns matches.

    Only ASCII classes, so that the byte scanner and `re` agree; look-arounds replace `\\b`, which would glue to
    accented letters and to scripts without spaces. Gate patterns have neither look-arounds nor anchors.
    """

    entity: Entity
    token: str
    gates: tuple[bytes, ...]
    find: Finder
    canonical: Callable[[str], str] = compact
    """Two values with the same canonical form are one value and have one token."""


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.VERBOSE | flags)


def whole(pattern: re.Pattern[str], group: int = 0) -> Finder:
    """A finder of all matches of a pattern, or of one of its groups."""

    def find(text: str) -> Iterator[Span]:
        return (match.span(group) for match in pattern.finditer(text))

    return find
