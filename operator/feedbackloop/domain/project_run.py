"""The status of a run for people and for kstatus: `Ready`, `Reconciling`, `Stalled`, and the stage in a word."""

from __future__ import annotations

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunOutcome
from feedbackloop.domain.lifecycle.run_turn import Turn

READY_REASON = {
    RunOutcome.PROMOTED: Reason.PROMOTED,
    RunOutcome.ROLLED_BACK: Reason.ROLLED_BACK,
    RunOutcome.GATED: Reason.GATED,
    RunOutcome.SKIPPED: Reason.NOT_ENOUGH_EXAMPLES,
    RunOutcome.COMPLETED: Reason.DATASET_ONLY,
    RunOutcome.INCONCLUSIVE: Reason.INCONCLUSIVE,
    RunOutcome.SUPERSEDED: Reason.SUPERSEDED,
    RunOutcome.FAILED: Reason.FAILED,
}


def project(turn: Turn) -> ImprovementRunStatus:
    """The status to write; equal to the one that was read when nothing has changed."""
    generation = max(turn.seen.generation, turn.status.observed_generation)
    turn = turn.update(observed_generation=generation)
    if turn.status.outcome is not None:
        return _over(turn, turn.status.outcome)
    if turn.stalled is not None:
        return _stalled(turn, *turn.stalled)
    return _under_way(turn)


def _over(turn: Turn, outcome: RunOutcome) -> ImprovementRunStatus:
    """A run is a job: ended is ready, whatever it found, unless it could not do its work."""
    turn = turn.unfind(ConditionType.RECONCILING).unfind(ConditionType.STALLED)
    well = outcome is not RunOutcome.FAILED
    turn = turn.found(ConditionType.READY, well, _reason(turn.status, outcome), turn.status.message)
    return turn.update(stage=outcome.value).status


def _reason(status: ImprovementRunStatus, outcome: RunOutcome) -> Reason:
    """A run is skipped for several reasons: the last thing that was decided tells which."""
    if outcome is RunOutcome.SKIPPED and status.decisions:
        return Reason(status.decisions[-1].what)
    return READY_REASON[outcome]


def _stalled(turn: Turn, reason: Reason, message: str) -> ImprovementRunStatus:
    turn = turn.unfind(ConditionType.RECONCILING)
    turn = turn.found(ConditionType.STALLED, True, reason, message)
    return turn.found(ConditionType.READY, False, reason, message).update(stage="Stalled", message=message).status


def _under_way(turn: Turn) -> ImprovementRunStatus:
    reason, message = turn.doing
    turn = turn.unfind(ConditionType.STALLED)
    turn = turn.found(ConditionType.RECONCILING, True, reason, message)
    turn = turn.found(ConditionType.READY, False, Reason.PROGRESSING, turn.stage)
    return turn.update(stage=turn.stage, message=message).status
