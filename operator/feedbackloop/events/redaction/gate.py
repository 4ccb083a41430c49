"""The Vectorscan gate: one pass over a folded text that says which detectors and readings may have work."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import hyperscan

from feedbackloop.events.redaction.detectors import Detector
from feedbackloop.events.redaction.views import READINGS

READING_IDS = range(1000, 1000 + len(READINGS))
"""What a reading is called among the gate's answers; a detector's is its index."""


def _collect(index: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.add(index)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[tuple[bytes, int], ...]) -> bytes:
    """The serialised database: compiling takes most of a second, loading none."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern for pattern, _ in patterns],
        ids=[index for _, index in patterns],
        elements=len(patterns),
        flags=hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL,
    )
    return bytes(hyperscan.dumpb(database))


class Gate:
    """Compiled patterns of some detectors and of all readings; not for use by two threads at once."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        patterns = [(pattern, index) for index, detector in enumerate(detectors) for pattern in detector.gates]
        for index, reading in zip(READING_IDS, READINGS, strict=True):
            patterns += [(clue, index) for clue in reading.clues]
        self._database = hyperscan.loadb(_compiled(tuple(patterns)), hyperscan.HS_MODE_BLOCK)
        self._database.scratch = hyperscan.Scratch(self._database)

    def open_for(self, text: str) -> set[int]:
        """What may find something in the text, or read it anew; empty for most texts."""
        found: set[int] = set()
        self._database.scan(text.encode("utf-8", "surrogatepass"), match_event_handler=_collect, context=found)
        return found
