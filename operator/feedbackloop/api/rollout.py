"""`spec.rollout`: how a gated candidate reaches users, and by what evidence it stays."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import ATOMIC, Decimal, Fraction, HeaderName, KubeModel, Name, Probability, Rule, list_map


class Until(StrEnum):
    DECISION = "Decision"


class OutcomeEvent(StrEnum):
    THUMBS_DOWN = "ThumbsDown"


class GuardrailMetric(StrEnum):
    ERROR_RATE = "ErrorRate"
    LATENCY_P95 = "LatencyP95"


class Assignment(KubeModel):
    session_header: HeaderName = "X-Session-Id"
    """The header that names the session; requests without it go to stable and are not counted."""


class Analysis(KubeModel):
    outcome_names: Annotated[tuple[Name, ...], Field(max_length=8, json_schema_extra=ATOMIC)] = ()
    """The outcomes that must be decided here; none means guardrails only."""
    until: Until | None = None
    """Decision waits until every named outcome is decided."""


class Step(KubeModel):
    rules = (
        Rule("has(self.setWeight) != has(self.analysis)", "steps: each step has exactly one of setWeight and analysis"),
    )

    set_weight: Annotated[int | None, Field(ge=1, le=99)] = None
    """The canary's share of sessions in percent; going to 100 is promotion, not a step."""
    analysis: Analysis | None = None
    """Hold until the guardrails (and the named outcomes) have their evidence."""


class Harm(KubeModel):
    alpha: Probability = "0.05"
    """The probability of aborting a candidate that is no worse."""


class NonInferiority(KubeModel):
    ratio: Annotated[Decimal, Field()] = "1.25"
    """Promote when the canary's event rate is shown to be below this multiple of stable's."""
    alpha: Probability = "0.05"
    """The probability of promoting a candidate at or over that ratio."""


class Outcome(KubeModel):
    name: Name
    """The name that steps refer to."""
    signal: Name
    """The collected signal that is counted."""
    event: OutcomeEvent = OutcomeEvent.THUMBS_DOWN
    """What counts as the (bad) event of a session."""
    attribution_window_seconds: Annotated[int, Field(ge=1, le=2_592_000)]
    """Votes count for this long after a session's first answer; then the session is counted once."""
    min_rated_units: Annotated[int, Field(ge=1, le=10_000_000)]
    """Rated sessions, of both arms together, without which nothing is promoted."""
    harm: Harm = Harm()
    """The test that may abort."""
    non_inferiority: NonInferiority = NonInferiority()
    """The test that may promote."""


class Guardrail(KubeModel):
    rules = (
        Rule(
            "(self.metric == 'ErrorRate') == has(self.maxRatio)"
            " && (self.metric == 'LatencyP95') == has(self.maxMilliseconds)",
            "guardrails: ErrorRate needs maxRatio, LatencyP95 needs maxMilliseconds; neither takes the other's limit",
        ),
    )

    name: Name
    """The name of this guardrail."""
    metric: GuardrailMetric
    """What is watched, on the gateway's own counts."""
    max_ratio: Fraction | None = None
    """The largest share of failed requests."""
    max_milliseconds: Annotated[int | None, Field(ge=1, le=3_600_000)] = None
    """The largest 95th percentile of the response time, in milliseconds."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)]
    """No judgement below this many canary requests in an epoch."""


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
        Rule("has(self.steps[0].setWeight)", "steps: the first step must be setWeight"),
    )

    assignment: Assignment = Assignment()
    """What is assigned to an arm and counted: a session."""
    steps: Annotated[tuple[Step, ...], Field(min_length=2, max_length=32, json_schema_extra=ATOMIC)]
    """The steps in order, in Argo Rollouts' words."""
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1, max_length=8, json_schema_extra=list_map("name"))]
    """Online metrics whose evidence is needed to promote."""
    guardrails: Annotated[tuple[Guardrail, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = ()
    """Online metrics that may only abort."""
    bake_seconds: Annotated[int, Field(ge=0, le=604_800)] = 3600
    """How long the canary serves everything while the old model is still warm, in seconds."""
    progress_deadline_seconds: Annotated[int, Field(ge=30, le=86_400)] = 900
    """How long the canary may take to become available, in seconds."""
    max_duration_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 1_209_600
    """After this long without a decision the run ends as Inconclusive, in seconds."""
