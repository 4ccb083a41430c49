"""What the decision needs, told before the rollout starts, from the traffic that was seen since the run began."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import UnitsSeen
from feedbackloop.api.rollout import Outcome, Rollout
from feedbackloop.api.rolloutstatus import PlanStatus
from feedbackloop.domain.lifecycle.run_level import level
from feedbackloop.domain.lifecycle.run_turn import Turn
from feedbackloop.domain.plan import plan
from feedbackloop.domain.rfc3339 import seconds_since

_DAY = 86_400
OUTSIDE = ""
"""The run UID of sessions that belong to no rollout."""
Totals = tuple[int, int, int]
"""Units, rated units, units with the event."""


def units_seen(spec: Rollout | None, gateways: Iterable[GatewayStatus] | None) -> tuple[UnitsSeen, ...]:
    """How many sessions each outcome has counted outside of rollouts; nothing while the gateways do not answer."""
    pods = tuple(gateways or ())
    outcomes = spec.outcomes if spec and pods else ()
    return tuple(UnitsSeen(outcome=o.name, units=_totals(o, pods)[0]) for o in sorted(outcomes, key=lambda o: o.name))


def plans(turn: Turn, spec: Rollout) -> tuple[PlanStatus, ...]:
    """One plan an outcome."""
    of_loop = level(turn.seen, spec)
    found = None if of_loop is None else float(of_loop)
    return tuple(_plan(turn, spec, outcome, found) for outcome in spec.outcomes)


def _plan(turn: Turn, spec: Rollout, outcome: Outcome, of_loop: float | None) -> PlanStatus:
    units, rated, events = _totals(outcome, turn.seen.gateways or ())
    rated_share, base_rate = (rated / units, events / units) if units else (None, None)
    return plan(spec, outcome, _per_day(turn, outcome, units), rated_share, base_rate, of_loop)


def _totals(outcome: Outcome, gateways: Iterable[GatewayStatus]) -> Totals:
    cells = [u for g in gateways for u in g.units if u.run_uid == OUTSIDE and u.outcome == outcome.name]
    return sum(c.units for c in cells), sum(c.rated for c in cells), sum(c.events for c in cells)


def _per_day(turn: Turn, outcome: Outcome, units: int) -> int:
    """Sessions that closed since the run began, scaled to a day; 0 while nothing is known."""
    inputs, since = turn.status.inputs, turn.status.started_at
    before = next((u.units for u in inputs.units if u.outcome == outcome.name), None) if inputs else None
    if before is None or since is None:
        return 0
    passed = seconds_since(since, turn.now)
    return round(max(0, units - before) * _DAY / passed) if passed > 0 else 0
