"""Guardrails read from the gateways' own counts, each within one epoch.

A guardrail fails when the canary is over its limit on at least `minRequests` while stable, over the
same interval, is not. Both over the limit is the target's trouble and holds (`TargetDegraded`).
While the canary serves everything, stable's side is its last epoch with `minRequests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from feedbackloop.api.gateway import Arm, GatewayStatus
from feedbackloop.api.rollout import Guardrail, GuardrailMetric
from feedbackloop.domain.rollout.traffic import Traffic, traffic
from feedbackloop.domain.statistics.numerals import numeral, percent


class State(Enum):
    PENDING = auto()
    """Fewer than minRequests."""
    WITHIN = auto()
    FAILED = auto()
    DEGRADED = auto()
    """Both arms are over the limit."""
    MISSING = auto()
    """Requests were counted, but not what the metric needs."""


@dataclass(frozen=True)
class Reading:
    guardrail: Guardrail
    state: State
    canary: Traffic
    stable: Traffic | None

    def __str__(self) -> str:
        stable = "no requests" if self.stable is None else _describe(self.guardrail, self.stable)
        return f"{self.guardrail.name}: canary {_describe(self.guardrail, self.canary)}, stable {stable}"


def readings(
    guardrails: Iterable[Guardrail], gateways: Sequence[GatewayStatus], run_uid: str, epoch: int, weight: int
) -> tuple[Reading, ...]:
    """Every guardrail as it stands in this epoch."""
    cells = traffic(gateways, run_uid)
    canary = cells.get((epoch, Arm.CANARY), Traffic())
    stable = {number: cell for (number, arm), cell in cells.items() if arm is Arm.STABLE}
    return tuple(_read(g, canary, _stable_side(g, stable, epoch, weight)) for g in guardrails)


def _stable_side(guardrail: Guardrail, epochs: dict[int, Traffic], epoch: int, weight: int) -> Traffic | None:
    current = epochs.get(epoch, Traffic())
    if weight < 100 and current.requests > 0:
        return current
    enough = [n for n, cell in epochs.items() if n < epoch and cell.requests >= guardrail.min_requests]
    return epochs[max(enough)] if enough else None


def _read(guardrail: Guardrail, canary: Traffic, stable: Traffic | None) -> Reading:
    return Reading(guardrail, _state(guardrail, canary, stable), canary, stable)


def _state(guardrail: Guardrail, canary: Traffic, stable: Traffic | None) -> State:
    if canary.requests < guardrail.min_requests:
        return State.PENDING
    value = measure(guardrail, canary)
    if value is None:
        return State.MISSING
    if value <= limit(guardrail):
        return State.WITHIN
    return _over_the_limit(guardrail, stable)


def _over_the_limit(guardrail: Guardrail, stable: Traffic | None) -> State:
    if stable is None:
        return State.FAILED
    value = measure(guardrail, stable)
    if value is None:
        return State.MISSING
    return State.DEGRADED if value > limit(guardrail) else State.FAILED


def measure(guardrail: Guardrail, cell: Traffic) -> float | None:
    """The metric's value, or None when the counts do not give it."""
    return cell.error_rate if guardrail.metric is GuardrailMetric.ERROR_RATE else cell.latency_p95


def limit(guardrail: Guardrail) -> float:
    if guardrail.metric is GuardrailMetric.ERROR_RATE:
        return float(guardrail.max_ratio or "0")
    return float(guardrail.max_milliseconds or 0)


def describe_limit(guardrail: Guardrail) -> str:
    return _unit(guardrail, limit(guardrail))


def _describe(guardrail: Guardrail, cell: Traffic) -> str:
    value = measure(guardrail, cell)
    shown = "unknown" if value is None else _unit(guardrail, value)
    return f"{shown} of {cell.requests} requests"


def _unit(guardrail: Guardrail, value: float) -> str:
    return percent(value) if guardrail.metric is GuardrailMetric.ERROR_RATE else f"{numeral(value)} ms"
