"""The changes of intent that several rules share. An intent is in status before anything acts on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import DecisionRecord
from feedbackloop.api.rollout import Rollout, Step
from feedbackloop.api.rolloutstatus import AbortStatus, EpochStatus, RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.situation import Move, Situation

_LIMIT = 1024
_MOST_EPOCHS = 64


def update(status: RolloutStatus, **changes: Any) -> RolloutStatus:
    return status.model_copy(update=changes)


def record(s: Situation, what: Reason, why: str) -> DecisionRecord:
    return DecisionRecord(at=stamp(s.now), what=what.value, why=why[:_LIMIT])


def routed(status: RolloutStatus, weight: int, now: datetime) -> RolloutStatus:
    """A new epoch with this weight; it starts when every gateway pod has applied it."""
    at = stamp(now)
    epoch = EpochStatus(epoch=status.epoch + 1, weight=weight, intended_at=at)
    epochs = *status.epochs, epoch
    return update(
        status,
        weight=weight,
        epoch=epoch.epoch,
        epochs=epochs[-_MOST_EPOCHS:],
        epoch_intended_at=at,
        epoch_started_at=None,
        resume_weight=None,
    )


def aborted(s: Situation, reason: Reason, message: str) -> Move:
    """Taking the candidate back begins, and unless the target is being updated, traffic leaves it at once."""
    abort = AbortStatus(at=stamp(s.now), reason=reason.value, message=message[:_LIMIT])
    seen_by_users = s.status.weight > 0 or s.status.header_routes or mirroring(s.status)
    status = update(s.status, abort=abort, resume_weight=None, header_routes=())
    moved_back = status.moved_back_since is not None
    if moved_back or (seen_by_users and not s.promoting):
        status = routed(status, 0, s.now)
    return Move(status, record(s, reason, message))


def known(word: str, otherwise: Reason) -> Reason:
    """A reason that was read from status; a newer operator may have written one that this one does not know."""
    try:
        return Reason(word)
    except ValueError:
        return otherwise


def mirroring(status: RolloutStatus) -> bool:
    """Requests are mirrored in the epoch that is intended."""
    return status.shadow is not None and status.shadow.epoch == status.epoch


def paused(s: Situation, reason: Reason, why: str) -> Move:
    """The steps freeze until a person resumes or promotes."""
    since = s.status.paused_since or stamp(s.now)
    return Move(update(s.status, paused_since=since, pause_reason=reason.value), record(s, reason, why))


def at_step(spec: Rollout, status: RolloutStatus, index: int, now: datetime) -> RolloutStatus:
    """The step of that index begins."""
    return update(status, step_index=index, step_since=stamp(now), steps_digest=prefix_digest(spec.steps, index))


def next_step(s: Situation) -> RolloutStatus:
    """The step under way is done."""
    return at_step(s.spec, s.status, s.status.step_index + 1, s.now)


def prefix_digest(steps: Sequence[Step], index: int) -> str:
    """Names the steps up to and with that index: what a rollout has followed so far."""
    # Without defaults, so that a field that a newer version adds does not make other steps of the same ones.
    wire = [step.model_dump(by_alias=True, exclude_defaults=True, mode="json") for step in steps[: index + 1]]
    text = json.dumps(wire, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
