"""What goes into a step of the rollout and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import DecisionRecord, RunOutcome
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.findings import Finding


@dataclass(frozen=True)
class ArmObserved:
    replicas: int
    ready: int
    digest: str | None
    """The digest that every ready pod carries; None when they differ or there is none."""

    def serves(self, digest: str) -> bool:
        """Every replica is ready with this model."""
        return self.complete and self.digest == digest

    @property
    def complete(self) -> bool:
        return 0 < self.replicas <= self.ready

    @property
    def gone(self) -> bool:
        return self.replicas == 0 and self.ready == 0


@dataclass(frozen=True)
class RolloutObservation:
    gateways: tuple[GatewayStatus, ...] | None
    """None: unreachable."""
    applied: bool
    """Every gateway pod reports the revision of the configuration as written for this epoch."""
    target: ArmObserved
    canary: ArmObserved
    superseded: bool = False
    suspended: bool = False


@dataclass(frozen=True)
class Advance:
    status: RolloutStatus
    conditions: tuple[Finding, ...]
    records: tuple[DecisionRecord, ...]
    """What was decided now, each `what` a documented reason."""
    outcome: RunOutcome | None
    message: str
    requeue_seconds: float
