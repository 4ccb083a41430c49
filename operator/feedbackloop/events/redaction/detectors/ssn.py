"""Social security numbers of the United States, in the ranges that the SSA assigns."""

from __future__ import annotations

from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors import context
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_GAP = r"(?:[ ]?[-./][ ]?[\r\n]{0,2}|[ ]|[ ]?\r?\n)"
_GROUPED = compiled(
    rf"[0-9]{{3}}(?<![0-9-][0-9]{{3}})(?<!000|666)(?<!9[0-9]{{2}}){_GAP}(?!00)[0-9]{{2}}{_GAP}(?!0000)[0-9]{{4}}(?![0-9]|-[0-9])"
)
_BARE = compiled(
    r"[0-9]{3}(?<![0-9.-][0-9]{3})(?<!000|666)(?<!9[0-9]{2})(?!00)[0-9]{2}(?!0000)[0-9]{4}(?![0-9]|[.-][0-9])"
)


def _find_grouped(text: str) -> Iterator[Span]:
    return (match.span() for match in _GROUPED.finditer(text))


def _find_bare(text: str) -> Iterator[Span]:
    """Nine digits are a social security number only where words say so."""
    for match in _BARE.finditer(text):
        if context.SSN.search(context.around(text, *match.span())):
            yield match.span()


GROUPED = Detector(
    Entity.SSN,
    "SSN",
    (rb"[0-9]{3}(?: ?[-./] ?[\r\n]{0,2}| | ?\r?\n)[0-9]{2}(?: ?[-./] ?[\r\n]{0,2}| | ?\r?\n)[0-9]{4}",),
    _find_grouped,
)
BARE = Detector(Entity.SSN, "SSN", (rb"[0-9]{9}",), _find_bare)
