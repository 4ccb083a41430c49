"""Stopping the stage that is under way, when its run ends for another reason."""

from __future__ import annotations

from feedbackloop.api.improvementrun import StageState
from feedbackloop.domain import naming
from feedbackloop.domain.lifecycle.run_effects import DeleteJob
from feedbackloop.domain.lifecycle.run_turn import Turn

UNDER_WAY = frozenset({StageState.RUNNING, StageState.WAITING})


def stop(turn: Turn) -> Turn:
    """Mark unfinished stages as stopped and delete their Jobs."""
    stages = tuple(
        s.model_copy(update={"state": StageState.STOPPED, "finished_at": turn.at}) if s.state in UNDER_WAY else s
        for s in turn.status.stages
    )
    return delete_stopped(turn.update(stages=stages))


def delete_stopped(turn: Turn) -> Turn:
    """The Jobs of stopped stages go; said again until the run is settled, as a crash may come first."""
    loop = turn.seen.spec.loop_name
    stopped = (s for s in turn.status.stages if s.state is StageState.STOPPED)
    return turn.act(*(DeleteJob(naming.job(loop, s.run_id, s.attempt)) for s in stopped))
