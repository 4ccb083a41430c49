"""The decision about one ImprovementRun: pure and total.

The steps stand in the order in which a run passes them. A step whose work is done passes the turn
on; one that has to wait, ask or end settles it. Nothing is remembered between two decisions but
what status says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.lifecycle.run_actions import answer_early
from feedbackloop.domain.lifecycle.run_effects import Ask, Effect, Note
from feedbackloop.domain.lifecycle.run_inputs import check_loop, pin
from feedbackloop.domain.lifecycle.run_registry import register, settle, track
from feedbackloop.domain.lifecycle.run_rollout import roll_out
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.lifecycle.run_shadow import compare
from feedbackloop.domain.lifecycle.run_stages import curate, evaluate, train
from feedbackloop.domain.lifecycle.run_turn import STALLED_SECONDS, Turn
from feedbackloop.domain.lifecycle.run_watch import watch
from feedbackloop.domain.project_run import project
from feedbackloop.domain.replay.given import Decided

STEPS: tuple[Callable[[Turn], Turn], ...] = (
    settle,
    watch,
    answer_early,
    check_loop,
    pin,
    track,
    curate,
    train,
    evaluate,
    register,
    compare,
    roll_out,
)


@dataclass(frozen=True)
class Decision:
    status: ImprovementRunStatus
    effects: tuple[Effect, ...] = ()
    asks: tuple[Ask, ...] = ()
    notes: tuple[Note, ...] = ()
    requeue: float | None = None
    decided: Decided | None = None
    """What the rollout decided, to be recorded before this status is written."""


def decide(seen: RunSeen, admin: AdminConfig, now: datetime) -> Decision:
    """What the run's status shall be, and what is to be done once it is written."""
    turn = Turn(seen, admin, now, seen.status)
    try:
        for step in STEPS:
            turn = step(turn)
            if turn.settled:
                break
    except UserError as error:
        turn = turn.stall(error.reason, error.message)
    if seen.refused is not None and turn.stalled is None:
        # The effects stay in the decision: they are tried again, and once they succeed the run goes on.
        turn = replace(turn, stalled=seen.refused, requeue=STALLED_SECONDS)
    return Decision(project(turn), turn.effects, turn.asks, turn.notes, turn.requeue, turn.decided)


def refuse(seen: RunSeen, admin: AdminConfig, now: datetime, error: UserError) -> Decision:
    """What is said when the facts of a decision could not be read: a person must act, nothing else changes."""
    turn = Turn(seen, admin, now, seen.status).stall(error.reason, error.message)
    return Decision(project(turn), requeue=turn.requeue)
