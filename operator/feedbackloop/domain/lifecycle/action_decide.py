"""What becomes of an action: it is given to its run, which answers it, or answered here when no run can.

A run that is under way answers its actions itself, with the status write that acts on them. Here are
those whose run is not there or has ended, and Retry, which is about a run that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.domain.lifecycle import retried
from feedbackloop.domain.lifecycle.action_seen import ActionObservation, RunOfAction

UNANSWERED_SECONDS = 15.0
"""An action whose run has not answered yet is looked at again: the run may end without doing so."""


@dataclass(frozen=True)
class ActionDecision:
    own: RunOfAction | None = None
    """The run becomes the owner of the action, which wakes it, and takes the action with it when it goes."""
    create: Mapping[str, Any] | None = None
    """A run to create before the answer is written."""
    result: ActionResult | None = None
    message: str = ""
    requeue_seconds: float | None = None


def decide(seen: ActionObservation) -> ActionDecision:
    """Total; an action with a result is never touched again."""
    if seen.status.result is not None:
        return ActionDecision()
    run = seen.run
    if run is None or run.leaving:
        return _void(f"spec.runName: there is no ImprovementRun {seen.spec.run_name} in this namespace", None)
    own = None if run.uid in seen.owners else run
    if seen.spec.action is Action.RETRY:
        return _retry(seen, run, own)
    if run.status.outcome is None:
        return ActionDecision(own=own, requeue_seconds=UNANSWERED_SECONDS)
    return _late(seen, run, run.status.outcome, own)


def _void(message: str, own: RunOfAction | None) -> ActionDecision:
    return ActionDecision(own=own, result=ActionResult.VOID, message=message)


def _late(seen: ActionObservation, run: RunOfAction, outcome: RunOutcome, own: RunOfAction | None) -> ActionDecision:
    """The run has ended: it was acted on before its answer could be written, or it came too late."""
    if _was_acted_on(seen, run):
        return ActionDecision(own=own, result=ActionResult.DONE, message=f"done; run {run.name} has ended since")
    return _void(f"run {run.name} has ended ({outcome.value}); only Retry is possible now", own)


def _was_acted_on(seen: ActionObservation, run: RunOfAction) -> bool:
    rollout = run.status.rollout
    if rollout is not None and seen.uid in rollout.actions:
        return True
    ends = f"RolloutAction {seen.name}"
    return any(d.what == Reason.ABORTED.value and d.why.endswith(ends) for d in run.status.decisions)


def _retry(seen: ActionObservation, run: RunOfAction, own: RunOfAction | None) -> ActionDecision:
    """The new run exists before the answer says so; a run that this action has made already is found again."""
    made = next((o.name for o in seen.others if o.made_by == seen.uid), None)
    if made is not None:
        return _made(made, own)
    why = retried.refusal(run.name, run.status, seen.loop)
    if why:
        return _void(why, own)
    body = retried.run_object(run, seen.uid, [o.name for o in seen.others])
    return ActionDecision(own=own, create=body, result=ActionResult.DONE, message=_message(body["metadata"]["name"]))


def _made(name: str, own: RunOfAction | None) -> ActionDecision:
    return ActionDecision(own=own, result=ActionResult.DONE, message=_message(name))


def _message(name: str) -> str:
    return f"run {name} rolls the candidate out again"
