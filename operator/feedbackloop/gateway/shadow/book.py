"""Counts of mirrored requests by (run, epoch) (pure)."""

from __future__ import annotations

from msgspec import Struct

from feedbackloop.gateway.meta import Shadowed

KEPT_COUNTS = 64

ShadowKey = tuple[str, int]


class Shadows(Struct, array_like=True):
    """The counts of one epoch."""

    mirrored: int = 0
    pairs: int = 0
    failed: int = 0
    skipped: int = 0


class ShadowBook:
    """All epochs that were mirrored, the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self.counts: dict[ShadowKey, Shadows] = {}

    def pairs(self, run_uid: str, epoch: int) -> int:
        """Pairs of an epoch that are stored."""
        counts = self.counts.get((run_uid, epoch))
        return counts.pairs if counts else 0

    def stored(self, run_uid: str, epoch: int) -> None:
        """A pair is in the log."""
        self._of(run_uid, epoch).pairs += 1

    def told(self, meta: Shadowed) -> None:
        """What else became of requests."""
        counts = self._of(meta.run_uid, meta.epoch)
        counts.mirrored += meta.mirrored
        counts.failed += meta.failed
        counts.skipped += meta.skipped

    def _of(self, run_uid: str, epoch: int) -> Shadows:
        key = (run_uid, epoch)
        if key not in self.counts:
            self.counts[key] = Shadows()
            while len(self.counts) > KEPT_COUNTS:
                del self.counts[next(iter(self.counts))]
        return self.counts[key]
