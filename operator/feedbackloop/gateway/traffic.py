"""Counts of answered requests by (run, epoch, arm): the numbers behind the guardrails (pure)."""

from __future__ import annotations

from bisect import bisect_left

from msgspec import Struct

from feedbackloop.events.records import Serving

BOUNDS_MS = (5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 1750, 2000, 2500, 3000,
             4000, 5000, 7500, 10000, 15000, 20000, 30000, 60000)  # fmt: skip
KEPT_COUNTS = 512

TrafficKey = tuple[str, int, str]


class Traffic(Struct, array_like=True):
    """The counts of one key; `buckets` are not cumulative, the last one is above all bounds."""

    requests: int
    errors: int
    unavailable: int
    buckets: list[int]

    def cumulative(self) -> dict[str, int]:
        """The histogram as the status shows it."""
        total, out = 0, {}
        for bound, count in zip((*map(str, BOUNDS_MS), "inf"), self.buckets, strict=True):
            total += count
            out[bound] = total
        return out


class TrafficBook:
    """All keys, the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self.counts: dict[TrafficKey, Traffic] = {}

    def served(self, serving: Serving) -> None:
        """Counts one request: unavailable for the arm it was meant for, or as traffic of the arm that answered."""
        if serving.fallback:
            self._of(serving, serving.assigned).unavailable += 1
        elif not serving.warm_up:
            self._count(self._of(serving, serving.arm), serving)

    @staticmethod
    def _count(traffic: Traffic, serving: Serving) -> None:
        traffic.requests += 1
        traffic.errors += serving.status >= 500 or serving.broken
        traffic.buckets[bisect_left(BOUNDS_MS, serving.latency_ms)] += 1

    def _of(self, serving: Serving, arm: str) -> Traffic:
        key = (serving.run_uid, serving.epoch, arm)
        if key not in self.counts:
            self.counts[key] = Traffic(0, 0, 0, [0] * (len(BOUNDS_MS) + 1))
            while len(self.counts) > KEPT_COUNTS:
                del self.counts[next(iter(self.counts))]
        return self.counts[key]
