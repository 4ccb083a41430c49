"""Promotion keeps the old model warm until the new one is proven in its place.

The canary serves everything and bakes while the target still runs the old model (the way back is one
write); then the target is updated; then traffic moves back to it; then the canary drains.
"""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import guardrails
from feedbackloop.domain.rollout.capacity import awaited
from feedbackloop.domain.rollout.intents import record, routed, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation
from feedbackloop.domain.statistics.numerals import numeral


def to_full(s: Situation) -> Move | Hold | None:
    """All steps are done: the canary gets the target's capacity, then all traffic."""
    if s.step is not None or s.promoting or s.status.weight == 100:
        return None
    waiting = awaited(s, 100)
    if waiting is not None:
        return waiting
    done = "no more steps are needed" if s.status.skip_steps else "all steps are done"
    why = f"{done}: weight {s.status.weight} to 100, the target stays warm"
    return Move(routed(update(s.status, header_routes=()), 100, s.now), record(s, Reason.WEIGHT_APPLYING, why))


def level(s: Situation) -> Hold | None:
    """The level over the loop's life is as it is now: it may have fallen since the last look was judged."""
    if s.level is None or s.step is not None or s.status.skip_steps or s.beyond_steps:
        return None
    least = 1 / s.level
    short = [o for o in s.status.outcomes if float(o.non_inferiority_e_value) < least]
    if not short:
        return None
    have = ", ".join(f"{o.name} {o.non_inferiority_e_value}" for o in short)
    return Hold(Reason.LEVEL_SPENT, f"the loop's lifetime asks for evidence of {numeral(least)}; so far {have}")


def bake(s: Situation) -> Move | Hold | None:
    """Guardrails are watched under all traffic; absent requests are no evidence here either."""
    if s.status.weight < 100 or s.promoting:
        return None
    since = s.status.baking_since
    if since is None:
        return _begin_baking(s)
    if s.elapsed(since) < s.spec.bake_seconds:
        return Hold(Reason.BAKING, f"baking for {s.spec.bake_seconds} s since {since}")
    requests = guardrails.waiting(s)
    if requests:
        return Hold(Reason.BAKING, f"baked; waiting for canary requests: {', '.join(requests)}")
    why = "; ".join([f"baked for {s.spec.bake_seconds} s at weight 100", *(str(r) for r in s.readings)])
    return Move(update(s.status, promoting_since=stamp(s.now)), record(s, Reason.UPDATING_TARGET, why))


def update_target(s: Situation) -> Move | Hold | None:
    """Traffic moves back once every replica of the target is ready with the candidate."""
    if not s.promoting or s.status.moved_back_since is not None:
        return None
    if not s.observed.target.serves(s.candidate):
        return Hold(Reason.UPDATING_TARGET, "waiting for every replica of the target to be ready with the candidate")
    status = update(routed(s.status, 0, s.now), moved_back_since=stamp(s.now))
    why = f"{s.observed.target.ready} replicas of the target serve the candidate: traffic moves back to it"
    return Move(status, record(s, Reason.WEIGHT_APPLYING, why))


def drain(s: Situation) -> Move | Hold | None:
    """The canary goes once every gateway pod has stopped routing to it."""
    if s.status.moved_back_since is None:
        return None
    if s.status.draining_since is None and not s.observed.target.complete:
        return Hold(Reason.TARGET_UNAVAILABLE, "not every replica of the target is ready")
    return draining(s) or Move(s.status, outcome=RunOutcome.PROMOTED, message="the candidate is the champion")


def draining(s: Situation) -> Move | Hold | None:
    """Scale the canary to zero and wait until it is gone; None then."""
    if s.status.draining_since is None:
        status = update(s.status, canary_replicas=0, canary_awaited_since=None, draining_since=stamp(s.now))
        return Move(status, record(s, Reason.DRAINING, "no gateway routes to the canary: it is scaled to 0"))
    if not s.observed.canary.gone:
        return Hold(Reason.DRAINING, "waiting for the canary's pods to end")
    return None


def _begin_baking(s: Situation) -> Move:
    why = f"every gateway pod applied weight 100; baking for {s.spec.bake_seconds} s"
    return Move(update(s.status, baking_since=stamp(s.now)), record(s, Reason.BAKING, why))
