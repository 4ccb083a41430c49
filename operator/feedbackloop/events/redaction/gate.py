"""The Vectorscan gate: one pass that says which detectors may find something."""

from __future__ import annotations

from collections.abc import Sequence

import hyperscan

from feedbackloop.events.redaction.detectors import Detector


def _collect(index: int, _start: int, _end: int, _flags: int, found: object) -> None:
    found.add(index)  # type: ignore[attr-defined]


class Gate:
    """Compiled gate patterns of some detectors; not for use by two threads at once."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        patterns = [(pattern, index) for index, detector in enumerate(detectors) for pattern in detector.gates]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[pattern for pattern, _ in patterns],
            ids=[index for _, index in patterns],
            elements=len(patterns),
            flags=hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL,
        )

    def open_for(self, text: str) -> set[int]:
        """Indexes of the detectors that may find something in the (folded) text; empty for most texts."""
        found: set[int] = set()
        self._database.scan(text.encode("utf-8", "surrogatepass"), match_event_handler=_collect, context=found)
        return found
