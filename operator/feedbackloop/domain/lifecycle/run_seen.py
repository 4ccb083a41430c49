"""What a run's decision is made from: frozen facts, gathered once."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.api.jobs import ProgressFile
from feedbackloop.api.rollout import NewRevisionPolicy
from feedbackloop.domain.jobs.results import ResultFile
from feedbackloop.domain.jobs.seen import ChildSeen, JobSeen
from feedbackloop.domain.lifecycle.held_actions import HeldAction
from feedbackloop.domain.rollout import ArmObserved
from feedbackloop.domain.rollout.queries import QuerySeen
from feedbackloop.domain.traffic.seen import ProviderSeen


@dataclass(frozen=True)
class LoopSeen:
    uid: str
    spec: FeedbackLoopSpec
    status: FeedbackLoopStatus
    deleting: bool = False

    @property
    def policy(self) -> NewRevisionPolicy:
        """What a new run does while another one is under way, as the loop says now."""
        return self.spec.rollout.new_revision_policy if self.spec.rollout else NewRevisionPolicy.QUEUE


@dataclass(frozen=True)
class Outage:
    """A service that did not answer: no state changes on what could not be read."""

    type: ConditionType
    reason: Reason
    message: str


@dataclass(frozen=True)
class StageSeen:
    """The files and objects of the stage that is under way."""

    job: JobSeen | None = None
    config_map: ChildSeen | None = None
    result: ResultFile | None = None
    progress: ProgressFile | None = None


@dataclass(frozen=True)
class ServingSeen:
    """Pods of both arms, and the configuration that the gateways shall have."""

    config_json: str | None
    target: ArmObserved
    canary: ArmObserved


@dataclass(frozen=True)
class Answers:
    """What the registry said when it was asked to ensure something."""

    run_id: str | None = None
    version: str | None = None
    settled: bool = False


@dataclass(frozen=True)
class RunSeen:
    namespace: str
    name: str
    uid: str
    generation: int
    spec: ImprovementRunSpec
    status: ImprovementRunStatus
    loop: LoopSeen | None
    cut: tuple[PodOffset, ...] | None = None
    """Of the annotation, on a run that the operator made."""
    blocked_by: str | None = None
    """The run whose turn it is, while that is another one."""
    newer: str | None = None
    """Of a run that waits: the newest run that waits too, when that is another one."""
    superseded_by: str | None = None
    """The run for which this one makes room, by newRevisionPolicy."""
    retried: ImprovementRunStatus | None = None
    """Of a run with spec.retryOf, until its rollout has begun: the status of that run; None when it is gone."""
    actions: tuple[HeldAction, ...] = ()
    """Unanswered actions of this run, Retry excepted, oldest first."""
    provider: ProviderSeen | None = None
    """What the traffic provider was seen to do; None: the gateway splits."""
    gateways: tuple[GatewayStatus, ...] | None = None
    stage: StageSeen = StageSeen()
    serving: ServingSeen | None = None
    queries: tuple[QuerySeen, ...] = ()
    """What other sources of guardrails last answered."""
    answers: Answers = Answers()
    model_keys: tuple[tuple[str, str], ...] = ()
    """Digest to the uid of the run that made the model, for models whose run still exists."""
    refused: tuple[Reason, str] | None = None
    """Why the last effects were refused, until they succeed."""
    storage_outage: Outage | None = None
    registry_outage: Outage | None = None
