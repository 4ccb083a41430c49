"""The changes of intent that several rules share. An intent is in status before anything acts on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import DecisionRecord
from feedbackloop.api.rolloutstatus import AbortStatus, EpochStatus, RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.situation import Move, Situation

_LIMIT = 1024


def update(status: RolloutStatus, **changes: Any) -> RolloutStatus:
    return status.model_copy(update=changes)


def record(s: Situation, what: Reason, why: str) -> DecisionRecord:
    return DecisionRecord(at=stamp(s.now), what=what.value, why=why[:_LIMIT])


def routed(status: RolloutStatus, weight: int, now: datetime) -> RolloutStatus:
    """A new epoch with this weight; it starts when every gateway pod has applied it."""
    at = stamp(now)
    epoch = EpochStatus(epoch=status.epoch + 1, weight=weight, intended_at=at)
    return update(
        status,
        weight=weight,
        epoch=epoch.epoch,
        epochs=(*status.epochs, epoch),
        epoch_intended_at=at,
        epoch_started_at=None,
        resume_weight=None,
    )


def aborted(s: Situation, reason: Reason, message: str) -> Move:
    """Taking the candidate back begins, and unless the target is being updated, traffic leaves it at once."""
    abort = AbortStatus(at=stamp(s.now), reason=reason.value, message=message[:_LIMIT])
    status = update(s.status, abort=abort, resume_weight=None)
    moved_back = status.moved_back_since is not None
    if moved_back or (status.weight > 0 and not s.promoting):
        status = routed(status, 0, s.now)
    return Move(status, record(s, reason, message))
