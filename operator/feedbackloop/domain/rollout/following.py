"""Steps that are edited while they are followed.

A run's spec is pinned, but its steps are the way, not the evidence: the loop's live steps are followed as long as
they demand every decision that the pinned ones do, and need nothing that is not pinned. When what was already
done of them has changed, the rollout starts anew at its first step.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import Rollout, Step, Until
from feedbackloop.domain.rollout.intents import at_step, prefix_digest, record, routed, update
from feedbackloop.domain.rollout.situation import Move, Situation


def followed(pinned: Rollout, live: tuple[Step, ...] | None) -> Rollout:
    """The pinned spec, with the live steps where they may be followed."""
    if live is None or live == pinned.steps or not _may_follow(pinned, live):
        return pinned
    return pinned.model_copy(update={"steps": live})


def begins(s: Situation) -> Move | None:
    """The first step of a rollout that has none yet."""
    if s.status.steps_digest:
        return None
    return Move(at_step(s.spec, s.status, s.status.step_index, s.now))


def changed(s: Situation) -> bool:
    """The steps up to the one under way are not those that were followed."""
    if s.beyond_steps or s.status.skip_steps or not s.status.steps_digest:
        return False
    return prefix_digest(s.spec.steps, s.status.step_index) != s.status.steps_digest


def restart(s: Situation) -> Move | None:
    """At the first step, without traffic; the evidence stays: it is the same candidate's."""
    if not changed(s):
        return None
    status = update(s.status, approvals=(), scale=None, header_routes=(), shadow=None, canary_awaited_since=None)
    status = at_step(s.spec, status, 0, s.now)
    if status.epoch > 0:
        status = routed(status, 0, s.now)
    why = f"the steps were changed up to step {s.status.step_index + 1}: the rollout starts anew at the first"
    return Move(status, record(s, Reason.STEPS_CHANGED, why))


def _may_follow(pinned: Rollout, live: tuple[Step, ...]) -> bool:
    known = {outcome.name for outcome in pinned.outcomes}
    by_gateway = pinned.traffic_routing.gateway is not None
    return (
        _decided(live) >= _decided(pinned.steps)
        and _named(live) <= known
        and (by_gateway or not any(step.shadow or step.set_header_route for step in live))
    )


def _decided(steps: Iterable[Step]) -> set[str]:
    """The outcomes without whose decision nothing is promoted."""
    analyses = (step.analysis for step in steps if step.analysis is not None)
    return {name for analysis in analyses if analysis.until is Until.DECISION for name in analysis.outcome_names}


def _named(steps: Iterable[Step]) -> set[str]:
    return {name for step in steps if step.analysis is not None for name in step.analysis.outcome_names}
