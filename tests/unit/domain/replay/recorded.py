"""Simulated rollouts whose decisions are recorded as the operator records them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.replay.given import Given, decided
from feedbackloop.domain.replay.record import Head, next_frame
from feedbackloop.domain.rollout import Advance, RolloutObservation
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, RUN_UID, World


@dataclass
class RecordedWorld(World):
    """With a record; the operator may begin anew, and a write of a status may be lost."""

    head: Head = field(default_factory=Head)
    lines: list[str] = field(default_factory=list)
    restart_every: int = 0
    lose_every: int = 0
    looks: int = 0

    def advance(self) -> Advance:
        before, previous, observed = self.status, self.last, self.observation
        result = super().advance()
        if result.status != before or previous is None or result.conditions != previous.conditions:
            self._frame(before, observed, result)
        return result

    def _frame(self, before: RolloutStatus, observed: RolloutObservation, result: Advance) -> None:
        self.looks += 1
        step = decided(Given(self.spec, before, observed, self.now, RUN_UID, CHAMPION, CANDIDATE))
        assert step.result == result, "what is not recorded took part in the decision"
        if self.restart_every and self.looks % self.restart_every == 0:
            self.head = replace(self.head, facts=None, result=None)
        frame, self.head = next_frame(self.head, step, "0.1.0")
        self.lines.append(frame.line())
        if self.lose_every and self.looks % self.lose_every == 0 and result.outcome is None:
            # The frame is there, and the status could not be written: the next look decides anew.
            self.status, self.records = before, self.records[: len(self.records) - len(result.records)]

    def write(self, **fields: Any) -> None:
        """Another part of the operator writes the status."""
        self.status = self.status.model_copy(update=fields)
