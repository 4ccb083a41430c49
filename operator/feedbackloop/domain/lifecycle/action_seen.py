"""What an action's decision is made from: the action, the run that it names, and the runs beside it."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.api.rolloutaction import RolloutActionSpec, RolloutActionStatus
from feedbackloop.domain.lifecycle.run_seen import LoopSeen


@dataclass(frozen=True)
class RunOfAction:
    """The ImprovementRun that an action names."""

    namespace: str
    name: str
    uid: str
    spec: ImprovementRunSpec
    status: ImprovementRunStatus
    leaving: bool = False
    """It is being deleted."""


@dataclass(frozen=True)
class OtherRun:
    """A run of the namespace, as far as a retry asks."""

    name: str
    made_by: str = ""
    """The UID of the action that made it."""


@dataclass(frozen=True)
class ActionObservation:
    name: str
    uid: str
    generation: int
    created: str
    spec: RolloutActionSpec
    status: RolloutActionStatus
    owners: frozenset[str] = frozenset()
    """UIDs of its owners."""
    run: RunOfAction | None = None
    loop: LoopSeen | None = None
    """Of a Retry: the run's loop."""
    others: tuple[OtherRun, ...] = ()
    """Of a Retry: all runs of the namespace."""
