"""The steps of a rollout, in Argo Rollouts' words: a list of one-of objects."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import ATOMIC, HeaderName, KubeModel, Name, Rule
from feedbackloop.api.rollout.base import OnTimeout
from feedbackloop.api.rollout.shadow import Shadow

GroupName = Annotated[str, Field(min_length=1, max_length=253)]
HeaderValue = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")]


class Until(StrEnum):
    DECISION = "Decision"


class Analysis(KubeModel):
    outcome_names: Annotated[tuple[Name, ...], Field(max_length=8, json_schema_extra=ATOMIC)] = ()
    """The outcomes that must be decided here; none means guardrails only."""
    until: Until | None = None
    """Decision waits until every named outcome is decided."""


class CanaryScale(KubeModel):
    rules = (
        Rule(
            "[has(self.replicas), has(self.percent), has(self.matchTrafficWeight)].filter(x, x).size() == 1",
            "setCanaryScale: give exactly one of replicas, percent and matchTrafficWeight: true",
        ),
    )

    replicas: Annotated[int | None, Field(ge=0, le=1000)] = None
    """A fixed number of canary pods."""
    percent: Annotated[int | None, Field(ge=1, le=100)] = None
    """A share of the target's replicas, rounded up."""
    match_traffic_weight: bool | None = None
    """Back to what the weight needs."""


class Pause(KubeModel):
    duration_seconds: Annotated[int | None, Field(ge=1, le=31_536_000)] = None
    """How long; until a person promotes or resumes when unset."""


class Approval(KubeModel):
    min_approvals: Annotated[int, Field(ge=1, le=10)] = 1
    """Different people who must approve this digest at this step."""
    groups: Annotated[tuple[GroupName, ...], Field(max_length=8, json_schema_extra=ATOMIC)] = ()
    """Only members of these groups count; anybody with the right to approve when empty."""
    timeout_seconds: Annotated[int | None, Field(ge=60, le=31_536_000)] = None
    """How long it waits; as long as the rollout may take when unset."""
    on_timeout: OnTimeout = OnTimeout.ABORT
    """What follows then."""


class HeaderRoute(KubeModel):
    header_name: HeaderName
    """Requests with this header go to the canary; they are answered, and never counted."""
    values: Annotated[tuple[HeaderValue, ...], Field(max_length=8, json_schema_extra=ATOMIC)] = ()
    """The header's values that do so; the route is removed when empty."""


class Step(KubeModel):
    rules = (
        Rule(
            "[has(self.setCanaryScale), has(self.setWeight), has(self.pause), has(self.shadow), has(self.analysis),"
            " has(self.approval), has(self.setHeaderRoute)].filter(x, x).size() == 1",
            "steps: each step has exactly one of setCanaryScale, setWeight, pause, shadow, analysis, approval and"
            " setHeaderRoute",
        ),
    )

    set_canary_scale: CanaryScale | None = None
    """The canary's replicas, whatever its weight needs (never fewer than that)."""
    set_weight: Annotated[int | None, Field(ge=1, le=99)] = None
    """The canary's share of sessions in percent; going to 100 is promotion, not a step."""
    pause: Pause | None = None
    """Hold for a time, or until a person goes on."""
    shadow: Shadow | None = None
    """Mirror requests, compare pairs of answers, and go on when the candidate is not worse."""
    analysis: Analysis | None = None
    """Hold until the guardrails (and the named outcomes) have their evidence."""
    approval: Approval | None = None
    """Hold until people approve this candidate, by RolloutAction objects."""
    set_header_route: HeaderRoute | None = None
    """Send requests with a header to the canary, for tests by hand."""
