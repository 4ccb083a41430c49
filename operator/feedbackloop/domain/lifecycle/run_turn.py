"""One decision in the making: the status so far, what is to be done, and whether it is settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import (
    ConditionStatus,
    ConditionType,
    Reason,
    drop_condition,
    find_condition,
    set_condition,
)
from feedbackloop.api.improvementrun import DecisionRecord, ImprovementRunStatus, RunOutcome
from feedbackloop.domain.findings import Finding, to_condition
from feedbackloop.domain.lifecycle.run_effects import Ask, Effect, Note
from feedbackloop.domain.lifecycle.run_seen import Outage, RunSeen
from feedbackloop.domain.replay.given import Decided
from feedbackloop.domain.rfc3339 import stamp

RECORDS = 50
TEXT = 1024
WARNINGS = frozenset({RunOutcome.FAILED, RunOutcome.ROLLED_BACK, RunOutcome.INCONCLUSIVE})


@dataclass(frozen=True)
class Turn:
    """Immutable; every method gives the next one."""

    seen: RunSeen
    admin: AdminConfig
    now: datetime
    status: ImprovementRunStatus
    stage: str = ""
    doing: tuple[Reason, str] = (Reason.PROGRESSING, "")
    """What the run is at, for `Reconciling`."""
    stalled: tuple[Reason, str] | None = None
    effects: tuple[Effect, ...] = ()
    asks: tuple[Ask, ...] = ()
    notes: tuple[Note, ...] = ()
    requeue: float | None = None
    decided: Decided | None = None
    """What the rollout decided in this turn, for its record."""
    settled: bool = False
    """Nothing more can be decided from what was seen."""

    @property
    def at(self) -> str:
        return stamp(self.now)

    @property
    def poll(self) -> float:
        return self.admin.limits.poll_active_seconds

    def update(self, **changes: Any) -> Turn:
        """With these fields of the status."""
        return replace(self, status=self.status.model_copy(update=changes))

    def find(self, finding: Finding) -> Turn:
        """With what was observed about one concern."""
        condition = to_condition(finding, at=self.at, generation=self.seen.generation)
        return self.update(conditions=set_condition(self.status.conditions, condition))

    def found(self, type_: ConditionType, status: bool | None, reason: Reason, message: str = "") -> Turn:
        return self.find(Finding(type_, status, reason, message))

    def unfind(self, type_: ConditionType) -> Turn:
        return self.update(conditions=drop_condition(self.status.conditions, type_.value))

    def record(self, what: Reason, why: str, *, warning: bool = False) -> Turn:
        """A transition: into the decision record, and an Event."""
        entry = DecisionRecord(at=self.at, what=what.value, why=why[:TEXT])
        kept = (*self.status.decisions, entry)[-RECORDS:]
        return replace(self.update(decisions=kept), notes=(*self.notes, Note(warning, what, why[:TEXT])))

    def at_stage(self, stage: str, reason: Reason, message: str = "") -> Turn:
        return replace(self, stage=stage, doing=(reason, message))

    def act(self, *effects: Effect) -> Turn:
        return replace(self, effects=(*self.effects, *effects))

    def ask(self, ask: Ask) -> Turn:
        """Wait for the registry's answer; the ask is made once this status is written."""
        # While it is away the status goes on saying so: an ask that changed it would be written at every look.
        away = find_condition(self.status.conditions, ConditionType.REGISTRY_REACHABLE)
        waits = away is not None and away.status is not ConditionStatus.TRUE
        doing = (Reason.WAITING, away.message) if away is not None and waits else self.doing
        return replace(self, doing=doing, asks=(ask,), settled=True, requeue=0.0)

    def hold(self, seconds: float | None) -> Turn:
        """Nothing more now; look again after that many seconds."""
        return replace(self, settled=True, requeue=seconds)

    def wait(self, reason: Reason, message: str, seconds: float) -> Turn:
        return replace(self, doing=(reason, message)).hold(seconds)

    def outage(self, outage: Outage) -> Turn:
        """Say that a service is away, and change nothing else."""
        told = self.find(Finding(outage.type, False, outage.reason, outage.message))
        return told.wait(Reason.WAITING, outage.message, OUTAGE_SECONDS)

    def stall(self, reason: Reason, message: str) -> Turn:
        """A person must act."""
        return replace(self, stalled=(reason, message)).hold(STALLED_SECONDS)

    def end(self, outcome: RunOutcome, reason: Reason, message: str) -> Turn:
        """The run is over; what was under way has been stopped by the caller."""
        over = self.update(outcome=outcome, message=message[:TEXT], finished_at=self.at)
        return over.record(reason, message, warning=outcome in WARNINGS).hold(0.0)


OUTAGE_SECONDS = 5.0
STALLED_SECONDS = 30.0
