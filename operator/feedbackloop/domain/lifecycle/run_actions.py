"""Actions on a run that does not roll out yet: it can be aborted, and nothing else."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.domain.lifecycle.held_actions import HeldAction, asked
from feedbackloop.domain.lifecycle.run_effects import AnswerAction
from feedbackloop.domain.lifecycle.run_stop import stop
from feedbackloop.domain.lifecycle.run_turn import Turn
from feedbackloop.domain.rollout import Advance

_TOO_EARLY = {
    Action.PAUSE: "; to hold it before its first step set spec.rollout.paused of the loop",
    Action.RESUME: "; spec.rollout.paused of the loop holds it, if it is set",
}


def answer_early(turn: Turn) -> Turn:
    """Before the rollout has begun."""
    if turn.status.outcome is not None or turn.status.rollout is not None:
        return turn
    aborts = [a for a in turn.seen.actions if a.seen.action is Action.ABORT]
    for held in turn.seen.actions:
        if held not in aborts:
            turn = turn.act(_answer(turn, held, ActionResult.VOID, _early(held.seen.action)))
    return _abort(turn, aborts) if aborts else turn


def _early(action: Action) -> str:
    return f"the rollout has not begun{_TOO_EARLY.get(action, '')}"


def _abort(turn: Turn, aborts: list[HeldAction]) -> Turn:
    for held in aborts:
        turn = turn.act(_answer(turn, held, ActionResult.DONE, "the run ends before its rollout"))
    first = aborts[0]
    why = asked(first.seen.action, first.seen.user, first.name, first.seen.comment)
    return stop(turn).end(RunOutcome.SKIPPED, Reason.ABORTED, why)


def answer(turn: Turn, advance: Advance) -> Turn:
    """What the rollout says about actions, to be written once its status is."""
    held = {a.seen.uid: a for a in turn.seen.actions}
    answers = (_answer(turn, held[a.uid], a.result, a.message) for a in advance.answers if a.uid in held)
    return turn.act(*answers)


def _answer(turn: Turn, held: HeldAction, result: ActionResult, message: str) -> AnswerAction:
    return AnswerAction(held.name, held.resource_version, held.generation, result, message[:1024], turn.at)
