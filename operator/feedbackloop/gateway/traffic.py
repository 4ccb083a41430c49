"""Counts of answered requests by (run, epoch, arm): the numbers behind the guardrails (pure)."""

from __future__ import annotations

from bisect import bisect_left

from msgspec import Struct, field, structs

from feedbackloop.events.records import Serving

BOUNDS_MS = (5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 1750, 2000, 2500, 3000,
             4000, 5000, 7500, 10000, 15000, 20000, 30000, 60000)  # fmt: skip
KEPT_COUNTS = 512

TrafficKey = tuple[str, int, str]


def no_counts() -> list[int]:
    """An empty histogram; its last bucket is above all bounds."""
    return [0] * (len(BOUNDS_MS) + 1)


def cumulative(buckets: list[int]) -> dict[str, int]:
    """A histogram as the status shows it."""
    total, out = 0, {}
    for bound, count in zip((*map(str, BOUNDS_MS), "inf"), buckets, strict=True):
        total += count
        out[bound] = total
    return out


class Traffic(Struct, array_like=True):
    """The counts of one key; the buckets are not cumulative. New fields come last, with defaults: a checkpoint of
    before has fewer."""

    requests: int = 0
    errors: int = 0
    unavailable: int = 0
    buckets: list[int] = field(default_factory=no_counts)
    streamed: int = 0
    first_tokens: list[int] = field(default_factory=no_counts)
    refusals: int = 0
    empty: int = 0
    cancelled: int = 0
    reported: int = 0

    def copied(self) -> Traffic:
        """A copy that later counts do not change."""
        return structs.replace(self, buckets=list(self.buckets), first_tokens=list(self.first_tokens))


class TrafficBook:
    """All keys, the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self.counts: dict[TrafficKey, Traffic] = {}

    def served(self, serving: Serving) -> None:
        """Counts one request: unavailable for the arm it was meant for, or as traffic of the arm that answered."""
        if serving.by_header:
            return
        if serving.reported:
            self._of(serving, serving.arm).reported += 1
            return
        if serving.fallback:
            self._of(serving, serving.assigned).unavailable += 1
        elif not serving.warm_up:
            _count(self._of(serving, serving.arm), serving)

    def _of(self, serving: Serving, arm: str) -> Traffic:
        key = (serving.run_uid, serving.epoch, arm)
        if key not in self.counts:
            self.counts[key] = Traffic()
            while len(self.counts) > KEPT_COUNTS:
                del self.counts[next(iter(self.counts))]
        return self.counts[key]


def _count(traffic: Traffic, serving: Serving) -> None:
    if serving.cancelled:
        traffic.cancelled += 1
        return
    traffic.requests += 1
    traffic.errors += serving.status >= 500 or serving.broken
    traffic.buckets[bisect_left(BOUNDS_MS, serving.latency_ms)] += 1
    traffic.refusals += serving.refused
    traffic.empty += serving.empty
    if serving.streamed:
        traffic.streamed += 1
        if serving.first_token_ms is not None:
            traffic.first_tokens[bisect_left(BOUNDS_MS, serving.first_token_ms)] += 1
