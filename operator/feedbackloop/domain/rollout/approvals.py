"""Approvals: different people, who may, for this candidate at this step; everything else does not count."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import Approval, OnTimeout
from feedbackloop.api.rolloutstatus import ApprovalStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import following
from feedbackloop.domain.rollout.intents import aborted, next_step, paused, record, update
from feedbackloop.domain.rollout.model import ActionSeen
from feedbackloop.domain.rollout.pausing import resumed
from feedbackloop.domain.rollout.situation import Hold, Move, Situation

_MOST = 32


def approve(s: Situation, action: ActionSeen) -> Move | str:
    void = _void(s, action)
    if void:
        return void
    if action.user in _approvers(s):
        return Move(s.status)
    status = update(s.status, approvals=(*s.status.approvals, _approval(s, action, True))[-_MOST:])
    return Move(status, record(s, Reason.APPROVED, _said(s, action, "approved")))


def reject(s: Situation, action: ActionSeen) -> Move | str:
    void = _void(s, action)
    if void:
        return void
    move = aborted(s, Reason.REJECTED, _said(s, action, "rejected"))
    approvals = (*move.status.approvals, _approval(s, action, False))[-_MOST:]
    return Move(update(move.status, approvals=approvals), move.record)


def approval(s: Situation) -> Move | Hold | None:
    """The step: on once enough people have approved."""
    step = under_way(s)
    if step is None:
        return None
    if not enough(s, step):
        return Hold(Reason.APPROVAL_PENDING, pending(s, step))
    why = f"step {s.status.step_index + 1} is approved by {', '.join(_approvers(s))}"
    return Move(next_step(s), record(s, Reason.APPROVED, why))


def suffice(s: Situation) -> Move | None:
    """People have acted after all: a pause for want of approvals ends."""
    step = under_way(s)
    if step is None or s.status.pause_reason != Reason.APPROVAL_TIMEOUT or not enough(s, step):
        return None
    return Move(resumed(s))


def timeout(s: Situation) -> Move | None:
    """Its clock goes on during a pause, as people can approve then, but it ends nothing before the pause is over."""
    step = under_way(s)
    if step is None or step.timeout_seconds is None or s.frozen or enough(s, step):
        return None
    if s.elapsed(s.status.step_since) <= step.timeout_seconds:
        return None
    why = f"{pending(s, step)}; not within {step.timeout_seconds} s"
    take = aborted if step.on_timeout is OnTimeout.ABORT else paused
    return take(s, Reason.APPROVAL_TIMEOUT, why)


def enough(s: Situation, step: Approval) -> bool:
    return len(_approvers(s)) >= step.min_approvals


def pending(s: Situation, step: Approval) -> str:
    people = f" of {', '.join(step.groups)}" if step.groups else ""
    count = f"{len(_approvers(s))} of {step.min_approvals} approvals{people}"
    return f"step {s.status.step_index + 1}: {count} for candidate {s.candidate[7:19]}"


def under_way(s: Situation) -> Approval | None:
    return s.step.approval if s.step is not None and s.status.abort is None else None


def _approvers(s: Situation) -> list[str]:
    """Who approved this candidate at this step; asking twice is one approval."""
    mine = s.status.step_index, s.candidate
    return sorted({a.user for a in s.status.approvals if a.approved and (a.step_index, a.digest) == mine})


def _void(s: Situation, action: ActionSeen) -> str:
    step = under_way(s)
    if step is None:
        return f"step {s.status.step_index + 1} is no approval"
    if following.changed(s):
        return "the steps were changed: the rollout starts anew"
    if action.digest is None or action.step_index is None:
        return "digest and stepIndex are needed: an approval is bound to a candidate and a step"
    if step.groups and not set(step.groups) & set(action.groups):
        return f"{action.user} is in none of the groups that may approve: {', '.join(step.groups)}"
    return ""


def _approval(s: Situation, action: ActionSeen, approved: bool) -> ApprovalStatus:
    return ApprovalStatus(
        step_index=s.status.step_index,
        digest=s.candidate,
        user=action.user,
        at=action.at or stamp(s.now),
        approved=approved,
        comment=action.comment,
    )


def _said(s: Situation, action: ActionSeen, verb: str) -> str:
    what = f"{action.user} {verb} candidate {s.candidate[7:19]} at step {s.status.step_index + 1}"
    return f"{what}: {action.comment}" if action.comment else what
