"""Answered requests by epoch and arm, summed over the gateway pods."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from feedbackloop.api.gateway import Arm, GatewayStatus, TrafficCounts

_QUANTILE = 0.95


@dataclass(frozen=True)
class Traffic:
    requests: int = 0
    errors: int = 0
    unavailable: int = 0
    """Requests that the fallback answered instead."""
    latency: dict[float, int] = field(default_factory=dict)
    """Cumulative: upper bound in milliseconds to the answers at or below it."""

    def plus(self, counts: TrafficCounts) -> Traffic:
        latency = dict(self.latency)
        for bound, count in counts.latency_ms.items():
            latency[float(bound)] = latency.get(float(bound), 0) + count
        return Traffic(
            self.requests + counts.requests,
            self.errors + counts.errors,
            self.unavailable + counts.unavailable,
            latency,
        )

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if 0 <= self.errors <= self.requests and self.requests else None

    @property
    def latency_p95(self) -> float | None:
        """As Prometheus' histogram_quantile: linear inside a bucket, the last finite bound beyond it."""
        buckets = sorted(self.latency.items())
        if not buckets or buckets[-1][1] <= 0:
            return None
        return _quantile(buckets, _QUANTILE * buckets[-1][1])


def traffic(gateways: Iterable[GatewayStatus], run_uid: str) -> dict[tuple[int, Arm], Traffic]:
    """The run's requests, by epoch and arm."""
    cells: dict[tuple[int, Arm], Traffic] = {}
    for counts in (t for gateway in gateways for t in gateway.traffic if t.run_uid == run_uid):
        key = counts.epoch, counts.arm
        cells[key] = cells.get(key, Traffic()).plus(counts)
    return cells


def _quantile(buckets: list[tuple[float, int]], rank: float) -> float:
    low, below = 0.0, 0
    for bound, count in buckets:
        if count >= rank:
            return low if math.isinf(bound) else low + (bound - low) * (rank - below) / max(1, count - below)
        low, below = bound, count
    return low
