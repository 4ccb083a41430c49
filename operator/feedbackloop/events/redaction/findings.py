"""What was found in a text, and which findings stand where some overlap."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A private value at a span of the original text; ordered by who wins an overlap."""

    rank: int
    shortness: int
    """The negative length: among equals the longer one wins."""
    start: int
    end: int
    kind: str
    """The token's name."""
    value: str
    """In canonical form; never leaves the event."""
    counted_as: str


HINT_RANK = -1


def chosen(findings: Iterable[Finding], taken: Sequence[tuple[int, int]]) -> list[Finding]:
    """Findings that do not overlap, in order of position. `taken` are tokens, which the caller's values leave alone."""
    spans: list[tuple[int, int]] = []
    standing: list[Finding] = []
    for finding in sorted(_without_contained_hints(list(findings))):
        if _is_free(spans, finding) and not (finding.rank == HINT_RANK and _touches(taken, finding)):
            insort(spans, (finding.start, finding.end))
            standing.append(finding)
    return sorted(standing, key=lambda finding: finding.start)


def _without_contained_hints(findings: list[Finding]) -> Iterable[Finding]:
    """A hint inside an address or a number is replaced with it."""
    others = [finding for finding in findings if finding.rank != HINT_RANK]
    for finding in findings:
        if finding.rank != HINT_RANK or not any(_contains(other, finding) for other in others):
            yield finding


def _contains(outer: Finding, inner: Finding) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end and outer.shortness < inner.shortness


def _is_free(spans: list[tuple[int, int]], finding: Finding) -> bool:
    at = bisect_left(spans, (finding.start, finding.end))
    before = at == 0 or spans[at - 1][1] <= finding.start
    return before and (at == len(spans) or spans[at][0] >= finding.end)


def _touches(taken: Sequence[tuple[int, int]], finding: Finding) -> bool:
    return any(finding.start < end and start < finding.end for start, end in taken)
