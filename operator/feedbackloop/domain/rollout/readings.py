"""Guardrails as they stand, each within one epoch: from the gateways' own counts, or from a query's numbers.

A guardrail fails when the canary is over its limit on at least `minRequests` while stable, over the
same interval, is not. Both over the limit is the target's trouble and holds (`TargetDegraded`).
While the canary serves everything, stable's side is its last epoch with `minRequests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from feedbackloop.api.gateway import Arm, GatewayStatus
from feedbackloop.api.rollout import Guardrail
from feedbackloop.api.rolloutstatus import QueryStatus
from feedbackloop.domain.rollout.metrics import limit, metric
from feedbackloop.domain.rollout.traffic import Traffic, traffic


class State(Enum):
    PENDING = auto()
    """Fewer than minRequests."""
    WITHIN = auto()
    FAILED = auto()
    DEGRADED = auto()
    """Both arms are over the limit."""
    MISSING = auto()
    """Requests were counted, but not what the metric needs; or its source gives no number."""


@dataclass(frozen=True)
class Side:
    """One arm."""

    value: float | None
    """None: unknown."""
    counted: int | None
    """What `minRequests` is compared with; None: unknown, for stable's side of a query."""


@dataclass(frozen=True)
class Reading:
    guardrail: Guardrail
    state: State
    canary: Side
    stable: Side | None

    def __str__(self) -> str:
        noun = metric(self.guardrail).noun
        stable = f"no {noun}" if self.stable is None else _describe(self.guardrail, self.stable)
        return f"{self.guardrail.name}: canary {_describe(self.guardrail, self.canary)}, stable {stable}"


def readings(
    guardrails: Iterable[Guardrail],
    gateways: Sequence[GatewayStatus],
    run_uid: str,
    epoch: int,
    weight: int,
    queries: Iterable[QueryStatus] = (),
) -> tuple[Reading, ...]:
    """Every guardrail as it stands in this epoch."""
    cells = traffic(gateways, run_uid)
    canary = cells.get((epoch, Arm.CANARY), Traffic())
    stable = {number: cell for (number, arm), cell in cells.items() if arm is Arm.STABLE}
    asked = {query.name: query for query in queries}
    return tuple(
        _counted(g, canary, _stable_side(g, stable, epoch, weight))
        if g.prometheus is None
        else queried(g, asked.get(g.name), epoch, canary.requests)
        for g in guardrails
    )


def _counted(guardrail: Guardrail, canary: Traffic, stable: Traffic | None) -> Reading:
    here, there = _side(guardrail, canary), None if stable is None else _side(guardrail, stable)
    return Reading(guardrail, _state(guardrail, here, there), here, there)


def queried(guardrail: Guardrail, query: QueryStatus | None, epoch: int, requests: int) -> Reading:
    """From what the source said about this epoch; `requests` are the canary's by the gateways' counts."""
    canary, stable = _query_sides(query, epoch, requests)
    if query is not None and query.unavailable_since is not None:
        return Reading(guardrail, State.MISSING, canary, stable)
    state = State.PENDING if canary.value is None else _state(guardrail, canary, stable)
    return Reading(guardrail, state, canary, stable)


def _query_sides(query: QueryStatus | None, epoch: int, requests: int) -> tuple[Side, Side | None]:
    if query is None or query.epoch != epoch or query.canary is None:
        return Side(None, requests), None
    counted = requests if query.requests is None else query.requests
    stable = None if query.stable is None else Side(float(query.stable), None)
    return Side(float(query.canary), counted), stable


def _stable_side(guardrail: Guardrail, epochs: Mapping[int, Traffic], epoch: int, weight: int) -> Traffic | None:
    counted = metric(guardrail).counted
    current = epochs.get(epoch, Traffic())
    if weight < 100 and counted(current) > 0:
        return current
    enough = [n for n, cell in epochs.items() if n < epoch and counted(cell) >= guardrail.min_requests]
    return epochs[max(enough)] if enough else None


def _side(guardrail: Guardrail, cell: Traffic) -> Side:
    return Side(metric(guardrail).value(cell), metric(guardrail).counted(cell))


def _state(guardrail: Guardrail, canary: Side, stable: Side | None) -> State:
    if (canary.counted or 0) < guardrail.min_requests:
        return State.PENDING
    if canary.value is None:
        return State.MISSING
    if canary.value <= limit(guardrail):
        return State.WITHIN
    return _over_the_limit(guardrail, stable)


def _over_the_limit(guardrail: Guardrail, stable: Side | None) -> State:
    if stable is None:
        return State.FAILED
    if stable.value is None:
        return State.MISSING
    return State.DEGRADED if stable.value > limit(guardrail) else State.FAILED


def _describe(guardrail: Guardrail, side: Side) -> str:
    shown = "unknown" if side.value is None else metric(guardrail).shown(side.value)
    return shown if side.counted is None else f"{shown} of {side.counted} {metric(guardrail).noun}"
