"""Answered requests by epoch and arm, summed over the gateway pods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from feedbackloop.api.gateway import Arm, GatewayStatus, TrafficCounts

_QUANTILE = 0.95

Histogram = dict[float, int]
"""Cumulative: upper bound in milliseconds to the answers at or below it."""


@dataclass(frozen=True)
class Traffic:
    requests: int = 0
    errors: int = 0
    unavailable: int = 0
    """Requests that the fallback answered instead."""
    latency: Histogram = field(default_factory=dict)
    streamed: int = 0
    first_token: Histogram = field(default_factory=dict)
    """Of the streamed answers."""
    refusals: int = 0
    empty: int = 0

    def plus(self, counts: TrafficCounts) -> Traffic:
        return Traffic(
            self.requests + counts.requests,
            self.errors + counts.errors,
            self.unavailable + counts.unavailable,
            _added(self.latency, counts.latency_ms),
            self.streamed + counts.streamed,
            _added(self.first_token, counts.first_token_ms),
            self.refusals + counts.refusals,
            self.empty + counts.empty,
        )

    @property
    def error_rate(self) -> float | None:
        return self._share(self.errors)

    @property
    def refusal_rate(self) -> float | None:
        return self._share(self.refusals)

    @property
    def empty_rate(self) -> float | None:
        return self._share(self.empty)

    @property
    def latency_p95(self) -> float | None:
        return p95(self.latency)

    @property
    def first_token_p95(self) -> float | None:
        return p95(self.first_token)

    def _share(self, count: int) -> float | None:
        """Of the requests; None when that is not a possible count."""
        return count / self.requests if 0 <= count <= self.requests and self.requests else None


def traffic(gateways: Iterable[GatewayStatus], run_uid: str) -> dict[tuple[int, Arm], Traffic]:
    """The run's requests, by epoch and arm."""
    cells: dict[tuple[int, Arm], Traffic] = {}
    for counts in (t for gateway in gateways for t in gateway.traffic if t.run_uid == run_uid):
        key = counts.epoch, counts.arm
        cells[key] = cells.get(key, Traffic()).plus(counts)
    return cells


def p95(histogram: Histogram) -> float | None:
    """As Prometheus' histogram_quantile: linear inside a bucket, the last finite bound beyond it.

    None without counts, and when they are not cumulative: then a part of them is missing.
    """
    buckets = sorted(histogram.items())
    counts = [count for _, count in buckets]
    if not buckets or counts[-1] <= 0 or counts != sorted(counts) or counts[0] < 0:
        return None
    return _quantile(buckets, _QUANTILE * counts[-1])


def _quantile(buckets: list[tuple[float, int]], rank: float) -> float:
    low, below = 0.0, 0
    for bound, count in buckets:
        if count >= rank:
            return low if math.isinf(bound) else low + (bound - low) * (rank - below) / max(1, count - below)
        low, below = bound, count
    return low


def _added(histogram: Histogram, counts: Mapping[str, int]) -> Histogram:
    bounds = {float(bound): count for bound, count in counts.items()}
    return {bound: histogram.get(bound, 0) + bounds.get(bound, 0) for bound in (*histogram, *bounds)}
