"""Guardrails: online metrics that may only abort."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Decimal, Fraction, KubeModel, Name, Rule
from feedbackloop.api.rollout.base import OnTimeout


class GuardrailMetric(StrEnum):
    """What is watched; all but Prometheus on the gateway's own counts."""

    ERROR_RATE = "ErrorRate"
    LATENCY_P95 = "LatencyP95"
    FIRST_TOKEN_P95 = "FirstTokenP95"
    """Of streamed answers: the time to the first byte of content."""
    REFUSAL_RATE = "RefusalRate"
    """Answers that decline, by a versioned list of phrases."""
    EMPTY_RATE = "EmptyRate"
    """Answers without text."""
    PROMETHEUS = "Prometheus"


class PrometheusQuery(KubeModel):
    rules = (
        Rule(
            "self.query.contains('$arm')",
            "prometheus.query: must use $arm, or both arms would give the same number and no candidate could fail",
        ),
    )

    endpoint_name: Name
    """A Prometheus endpoint of the admin's list."""
    query: Annotated[str, Field(min_length=1, max_length=1000)]
    """PromQL that gives one number. `$arm`, `$loop`, `$namespace` and `$window` (such as 300s) are replaced."""
    requests_query: Annotated[str | None, Field(min_length=1, max_length=1000)] = None
    """PromQL of the requests behind it, compared with minRequests; the gateway's own count when unset."""
    interval_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """How often it is asked."""
    unavailable_deadline_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 86_400
    """An outage of the source holds the rollout; after this long, onUnavailable follows."""
    on_unavailable: OnTimeout = OnTimeout.PAUSE
    """What follows then."""


class Guardrail(KubeModel):
    rules = (
        Rule(
            "has(self.maxRatio) == (self.metric in ['ErrorRate', 'RefusalRate', 'EmptyRate'])"
            " && has(self.maxMilliseconds) == (self.metric in ['LatencyP95', 'FirstTokenP95'])"
            " && has(self.maxValue) == (self.metric == 'Prometheus')",
            "guardrails: ErrorRate, RefusalRate and EmptyRate need maxRatio, LatencyP95 and FirstTokenP95 need"
            " maxMilliseconds, Prometheus needs maxValue; none takes another's limit",
        ),
        Rule(
            "has(self.prometheus) == (self.metric == 'Prometheus')",
            "guardrails: prometheus belongs to metric: Prometheus, and only there",
        ),
    )

    name: Name
    """The name of this guardrail."""
    metric: GuardrailMetric
    """What is watched."""
    max_ratio: Fraction | None = None
    """The largest share of requests that may be so."""
    max_milliseconds: Annotated[int | None, Field(ge=1, le=3_600_000)] = None
    """The largest 95th percentile, in milliseconds."""
    max_value: Decimal | None = None
    """The largest value of the query."""
    prometheus: PrometheusQuery | None = None
    """Where the value comes from."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)]
    """No judgement below this many canary requests in an epoch."""
