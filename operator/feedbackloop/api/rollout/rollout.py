"""`spec.rollout`: how a gated candidate reaches users, and by what evidence it stays."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import ATOMIC, HeaderName, KubeModel, Probability, Rule, list_map
from feedbackloop.api.rollout.base import OnTimeout
from feedbackloop.api.rollout.guardrails import Guardrail
from feedbackloop.api.rollout.outcomes import Outcome
from feedbackloop.api.rollout.routing import ByGateway, TrafficRouting
from feedbackloop.api.rollout.steps import Step
from feedbackloop.api.rollout.windows import Window


class Assignment(KubeModel):
    session_header: HeaderName = "X-Session-Id"
    """The header that names the session; requests without it go to stable and are not counted."""


class NewRevisionPolicy(StrEnum):
    """What a new run of the loop does while another one rolls out."""

    QUEUE = "Queue"
    """It waits; of those that wait only the newest is kept."""
    SUPERSEDE = "Supersede"
    """The rollout is aborted as Superseded, its traffic leaves first, then the new run goes on."""
    REJECT = "Reject"
    """The new run ends at once as Skipped."""


class StableUnhealthyPolicy(StrEnum):
    PAUSE = "Pause"
    """No step while stable is not whole."""
    PROMOTE_IF_CANARY_HEALTHY = "PromoteIfCanaryHealthy"
    """A canary whose outcomes are all Successful may still be promoted."""


class RollbackWindow(KubeModel):
    revisions: Annotated[int, Field(ge=0, le=10)] = 2
    """A candidate that was champion within this many promotions needs no steps again."""


class Lifetime(KubeModel):
    """Of all promotions over the life of the loop, at most this share is expected to be regressions (e-LOND)."""

    alpha: Probability = "0.1"
    """The false discovery rate of promotions."""


class Rollout(KubeModel):
    rules = (
        Rule(
            "self.steps.exists(s, has(s.analysis) && has(s.analysis.until)"
            " && has(s.analysis.outcomeNames) && s.analysis.outcomeNames.size() > 0)",
            "steps: an analysis step needs outcomeNames and until: Decision; nothing is promoted without evidence",
        ),
        Rule(
            "self.steps.all(s, !has(s.analysis) || !has(s.analysis.outcomeNames)"
            " || s.analysis.outcomeNames.all(n, self.outcomes.exists(o, o.name == n)))",
            "steps: outcomeNames must be names of outcomes",
        ),
        Rule(
            "!has(self.steps[0].analysis)",
            "steps: the first step must not be an analysis; there is no traffic yet that it could look at",
        ),
        Rule(
            "self.steps.exists(s, has(s.setWeight))",
            "steps: at least one step must be setWeight; outcomes need sessions on both arms",
        ),
        Rule(
            "self.steps.all(s, !has(s.pause) || !has(s.pause.durationSeconds)"
            " || s.pause.durationSeconds < (has(self.maxDurationSeconds) ? self.maxDurationSeconds : 1209600))",
            "steps: a pause must be shorter than maxDurationSeconds",
        ),
        Rule(
            "!has(self.trafficRouting) || has(self.trafficRouting.gateway)"
            " || self.steps.all(s, !has(s.shadow) && !has(s.setHeaderRoute))",
            "steps: shadow and setHeaderRoute need trafficRouting: {gateway: {}}",
        ),
    )

    paused: bool = False
    """Freeze the steps where they are; guardrails still abort. Acts at once, also on a run under way."""
    assignment: Assignment = Assignment()
    """What is assigned to an arm and counted: a session."""
    traffic_routing: TrafficRouting = TrafficRouting(gateway=ByGateway())
    """Who splits the traffic."""
    steps: Annotated[tuple[Step, ...], Field(min_length=2, max_length=32, json_schema_extra=ATOMIC)]
    """The steps in order, in Argo Rollouts' words."""
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1, max_length=8, json_schema_extra=list_map("name"))]
    """Online metrics whose evidence is needed to promote."""
    guardrails: Annotated[tuple[Guardrail, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = ()
    """Online metrics that may only abort."""
    windows: Annotated[tuple[Window, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = ()
    """When the rollout may go on; always without any."""
    bake_seconds: Annotated[int, Field(ge=0, le=604_800)] = 3600
    """How long the canary serves everything while the old model is still warm, in seconds."""
    watch_seconds: Annotated[int, Field(ge=0, le=604_800)] = 86_400
    """How long late votes are still watched after a promotion; harm found then is told by a condition and an Event."""
    progress_deadline_seconds: Annotated[int, Field(ge=30, le=86_400)] = 900
    """How long the canary may take to become available, in seconds; pauses and analyses do not count."""
    max_duration_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 1_209_600
    """After this long without a decision, onTimeout follows, in seconds."""
    on_timeout: OnTimeout = OnTimeout.ABORT
    """What follows then: the end as Inconclusive, or a pause."""
    new_revision_policy: NewRevisionPolicy = NewRevisionPolicy.QUEUE
    """What a new run of the loop does meanwhile."""
    stable_unhealthy_policy: StableUnhealthyPolicy = StableUnhealthyPolicy.PAUSE
    """What happens while stable is not whole."""
    rollback_window: RollbackWindow = RollbackWindow()
    """How far back a promotion needs no new evidence."""
    lifetime: Lifetime | None = None
    """Bounds the share of regressions among all promotions of this loop; every run is judged alone when unset."""
