"""Whether an attempt that left no result is tried again, when, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import StageStatus
from feedbackloop.domain.backoff import SURROUNDINGS, delay
from feedbackloop.domain.jobs.outcome import End, Ended

UNCOUNTED = frozenset({End.PREEMPTED, End.STORAGE_AWAY, End.BASE_AWAY})


@dataclass(frozen=True)
class Again:
    delay: timedelta
    failures: int
    halvings: int
    storage_away: bool = False


@dataclass(frozen=True)
class Never:
    reason: Reason
    failures: int
    message: str


def next_step(stage: StageStatus, end: Ended, max_failures: int, max_halvings: int) -> Again | Never:
    """What follows this end."""
    if end.end is End.FATAL:
        return Never(Reason.STAGE_FAILED, stage.failures, end.message)
    if end.end is End.CONSENT_WITHDRAWN:
        return Never(Reason.CONSENT_WITHDRAWN, stage.failures, end.message)
    if end.end is End.DEADLINE:
        return Never(Reason.DEADLINE_EXCEEDED, stage.failures, end.message)
    if end.end is End.OUT_OF_MEMORY and stage.halvings < max_halvings:
        return Again(timedelta(0), stage.failures, stage.halvings + 1)
    if end.end in UNCOUNTED:
        uncounted = stage.attempt - stage.failures - stage.halvings
        away = end.end is End.STORAGE_AWAY
        return Again(delay(uncounted, SURROUNDINGS), stage.failures, stage.halvings, away)
    return _counted(stage, end, max_failures)


def _counted(stage: StageStatus, end: Ended, max_failures: int) -> Again | Never:
    failures = stage.failures + 1
    if failures < max(max_failures, 1):
        return Again(delay(failures), failures, stage.halvings)
    reason = Reason.RESULT_MISSING if end.end is End.RESULT_MISSING else Reason.STAGE_FAILED
    return Never(reason, failures, f"{end.message}; {failures} attempts failed")
