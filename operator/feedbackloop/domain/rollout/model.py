"""What goes into a step of the rollout and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import DecisionRecord, RunOutcome
from feedbackloop.api.rollout import Step
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.rollout.queries import QuerySeen
from feedbackloop.domain.traffic.seen import ProviderSeen


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
class ActionSeen:
    """A RolloutAction of this run, as the API server holds it."""

    uid: str
    action: Action
    user: str
    groups: tuple[str, ...] = ()
    digest: str | None = None
    """The candidate that is meant; None: whichever it is."""
    step_index: int | None = None
    """The step that is meant; None: whichever is under way."""
    at: str = ""
    """When it was created, RFC 3339."""
    comment: str = ""


@dataclass(frozen=True)
class ActionAnswer:
    """What became of an action; to be written into its status."""

    uid: str
    result: ActionResult
    message: str


@dataclass(frozen=True)
class RolloutObservation:
    gateways: tuple[GatewayStatus, ...] | None
    """None: unreachable."""
    applied: bool
    """Every gateway pod reports the revision of the configuration as written for this epoch."""
    target: ArmObserved
    canary: ArmObserved
    superseded: bool = False
    """Another model was declared as the target's, or a newer run goes first (newRevisionPolicy: Supersede)."""
    suspended: bool = False
    """The loop's spec.suspend, as it is now."""
    paused: bool = False
    """The loop's spec.rollout.paused, as it is now."""
    actions: tuple[ActionSeen, ...] = ()
    """The run's actions without a result, Retry excepted; those of `status.actions` are only answered again."""
    promotions: tuple[str, ...] = ()
    """Digests that were champion, the newest first, without the present one."""
    level: str | None = None
    """The level that the online procedure over the loop's life gives this decision; None: this run is judged alone."""
    queries: tuple[QuerySeen, ...] = ()
    """What other sources of guardrails answered."""
    provider: ProviderSeen | None = None
    """What the traffic provider was seen to do; None: the gateway splits."""
    superseded_by: str = ""
    """By what, for people."""
    steps: tuple[Step, ...] | None = None
    """The loop's spec.rollout.steps, as they are now; None: as pinned. All else of the spec stays as pinned."""


@dataclass(frozen=True)
class Advance:
    status: RolloutStatus
    conditions: tuple[Finding, ...]
    records: tuple[DecisionRecord, ...]
    """What was decided now, each `what` a documented reason."""
    outcome: RunOutcome | None
    message: str
    requeue_seconds: float
    answers: tuple[ActionAnswer, ...] = ()
    """One for each observed action that is acted on, was acted on, or does not fit; to be written as they are."""
