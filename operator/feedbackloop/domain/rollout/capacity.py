"""The canary is scaled to what a weight needs, and available, before the weight rises (I4)."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.intents import update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def keeps_up(s: Situation) -> Move | None:
    """The target was scaled up: the canary keeps its share of the capacity."""
    return _scaled(s, s.status.weight) if s.status.weight > 0 else None


def awaited(s: Situation, weight: int) -> Move | Hold | None:
    """Whatever keeps the canary from taking `weight`; None when it is ready for it."""
    return _scaled(s, weight) or available(s)


def available(s: Situation) -> Move | Hold | None:
    """Whatever keeps the canary, as it was scaled, from being there."""
    if s.canary_available:
        return None
    if s.status.canary_awaited_since is None:
        return Move(update(s.status, canary_awaited_since=stamp(s.now)))
    return Hold(Reason.CANARY_STARTING, f"waiting for {s.status.canary_replicas} canary replicas with the candidate")


def _scaled(s: Situation, weight: int) -> Move | None:
    wanted = s.replicas_for(weight)
    return Move(update(s.status, canary_replicas=wanted)) if s.status.canary_replicas < wanted else None
