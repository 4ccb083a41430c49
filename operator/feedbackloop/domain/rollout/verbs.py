"""What people ask of a rollout: each action is acted on once, or said to be void, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.rollout.approvals import approve, reject
from feedbackloop.domain.rollout.intents import aborted, next_step, paused, record, update
from feedbackloop.domain.rollout.model import ActionAnswer, ActionSeen
from feedbackloop.domain.rollout.pausing import resumed
from feedbackloop.domain.rollout.situation import Move, Situation

_MOST_KEPT = 64
_DONE = {
    Action.APPROVE: "the approval counts",
    Action.REJECT: "rejected: the candidate is taken back",
    Action.PAUSE: "paused: the steps are frozen, guardrails still abort",
    Action.RESUME: "resumed",
    Action.PROMOTE: "the pause is over",
    Action.PROMOTE_FULL: "the steps are skipped; capacity, routing and baking are awaited",
    Action.ABORT: "the candidate is taken back",
    Action.RETRY: "a new run follows",
}


def take(s: Situation) -> Move | None:
    """Act on the oldest action that fits; its uid enters the status together with its effect."""
    room = _room(s)
    if room is None:
        return None
    for action in _waiting(s):
        answer = _asked(s, action)
        if isinstance(answer, Move):
            return Move(update(answer.status, actions=(*room, action.uid)), answer.record)
    return None


def answers(s: Situation) -> tuple[ActionAnswer, ...]:
    """For every observed action; once `take` has nothing left to act on, all others are void."""
    done = [a for a in s.observed.actions if a.uid in s.status.actions]
    void = [(a, _asked(s, a)) for a in _waiting(s)]
    return (
        *(ActionAnswer(a.uid, ActionResult.DONE, _DONE[a.action]) for a in done),
        *(ActionAnswer(a.uid, ActionResult.VOID, why) for a, why in void if isinstance(why, str)),
    )


def _room(s: Situation) -> tuple[str, ...] | None:
    """The kept uids with room for another: one that is still seen unanswered is never let go, or it would act twice.

    None: there is none; further actions wait until answers are written.
    """
    kept = s.status.actions
    if len(kept) < _MOST_KEPT:
        return kept
    seen = {a.uid for a in s.observed.actions}
    gone = next((uid for uid in kept if uid not in seen), None)
    return None if gone is None else tuple(uid for uid in kept if uid != gone)


def _waiting(s: Situation) -> list[ActionSeen]:
    waiting = [a for a in s.observed.actions if a.uid not in s.status.actions]
    return sorted(waiting, key=lambda a: (a.at, a.uid))


def _asked(s: Situation, action: ActionSeen) -> Move | str:
    """The change, or why there is none."""
    if action.digest not in (None, s.candidate):
        return f"it means another candidate; this run rolls out {s.candidate}"
    if action.step_index not in (None, s.status.step_index):
        return f"it means step {action.step_index}; the rollout is at step {s.status.step_index} (counted from 0)"
    if s.status.abort is not None and action.action is not Action.ABORT:
        return f"the candidate is being taken back: {s.status.abort.reason}"
    if s.promoting and action.action is not Action.ABORT:
        return "the target is already being updated to the candidate"
    return _VERBS[action.action](s, action)


def _abort(s: Situation, action: ActionSeen) -> Move | str:
    """At any time: in a freeze, in a pause, after promote-full, and again."""
    if s.status.abort is not None:
        return Move(s.status)
    return aborted(s, Reason.ABORTED, _said(action, "aborted it"))


def _pause(s: Situation, action: ActionSeen) -> Move | str:
    if s.status.pause_reason:
        return Move(s.status)
    return paused(s, Reason.PAUSED, _said(action, "paused it"))


def _resume(s: Situation, action: ActionSeen) -> Move | str:
    """End a person's or a rule's pause, or else the pause step that waits for a person."""
    declared = _declared(s)
    if declared:
        return declared
    if s.status.pause_reason:
        return _running(s, resumed(s), action, "resumed it")
    pause = s.step.pause if s.step is not None else None
    if pause is None or pause.duration_seconds is not None:
        return "nothing waits to be resumed"
    return _running(s, next_step(s), action, "resumed it")


def _promote(s: Situation, action: ActionSeen) -> Move | str:
    """End whatever pause is under way; the next step follows."""
    declared = _declared(s)
    if declared:
        return declared
    step = s.step is not None and s.step.pause is not None
    if not step and not s.status.pause_reason:
        return "no pause is under way; PromoteFull skips all steps"
    running = replace(s, status=resumed(s))
    return _running(s, next_step(running) if step else running.status, action, "promoted it past the pause")


def _promote_full(s: Situation, action: ActionSeen) -> Move | str:
    if s.step is None and not s.status.pause_reason:
        return "all steps are done; the promotion is under way"
    status = update(resumed(s), skip_steps=True)
    return Move(status, record(s, Reason.STEPS_SKIPPED, _said(action, "skipped the steps")))


def _retry(s: Situation, action: ActionSeen) -> Move | str:
    return "the rollout is under way; only an ended one can be retried"


_VERBS: dict[Action, Callable[[Situation, ActionSeen], Move | str]] = {
    Action.APPROVE: approve,
    Action.REJECT: reject,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.PROMOTE: _promote,
    Action.PROMOTE_FULL: _promote_full,
    Action.ABORT: _abort,
    Action.RETRY: _retry,
}


def _declared(s: Situation) -> str:
    """What only an edit of the loop can end."""
    if s.observed.suspended:
        return "spec.suspend is true; set it to false"
    return "spec.rollout.paused is true; set it to false" if s.observed.paused else ""


def _running(s: Situation, status: RolloutStatus, action: ActionSeen, what: str) -> Move:
    return Move(status, record(s, Reason.RUNNING, _said(action, what)))


def _said(action: ActionSeen, what: str) -> str:
    return f"{action.user} {what}: {action.comment}" if action.comment else f"{action.user} {what}"
