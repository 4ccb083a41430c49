"""What was observed about the intents: an epoch that has started, a canary that is there."""

from __future__ import annotations

from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.intents import update
from feedbackloop.domain.rollout.situation import Move, Situation


def epoch_starts(s: Situation) -> Move | None:
    """An epoch's clock starts when every gateway pod reports it."""
    if s.status.epoch == 0 or s.status.epoch_started_at is not None or not s.applied:
        return None
    return Move(update(s.status, epoch_started_at=stamp(s.now)))


def canary_arrives(s: Situation) -> Move | None:
    if s.status.canary_awaited_since is None or not s.canary_available:
        return None
    return Move(update(s.status, canary_awaited_since=None))
