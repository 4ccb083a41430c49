"""What each guardrail metric is: a table, so that a new one is a line of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from feedbackloop.api.rollout import Guardrail, GuardrailMetric
from feedbackloop.domain.rollout.traffic import Traffic
from feedbackloop.domain.statistics.numerals import numeral, percent


@dataclass(frozen=True)
class Metric:
    limit: Callable[[Guardrail], float]
    shown: Callable[[float], str]
    """A value for people, with its unit."""
    value: Callable[[Traffic], float | None] = lambda cell: None
    """From the gateways' counts; None when they do not give it."""
    counted: Callable[[Traffic], int] = lambda cell: cell.requests
    """What `minRequests` is compared with."""
    noun: str = "requests"


def _ratio(guardrail: Guardrail) -> float:
    return float(guardrail.max_ratio or "0")


def _milliseconds(guardrail: Guardrail) -> float:
    return float(guardrail.max_milliseconds or 0)


def _value(guardrail: Guardrail) -> float:
    return float(guardrail.max_value or "0")


def _ms(value: float) -> str:
    return f"{numeral(value)} ms"


METRICS: Mapping[GuardrailMetric, Metric] = {
    GuardrailMetric.ERROR_RATE: Metric(_ratio, percent, lambda cell: cell.error_rate),
    GuardrailMetric.REFUSAL_RATE: Metric(_ratio, percent, lambda cell: cell.refusal_rate),
    GuardrailMetric.EMPTY_RATE: Metric(_ratio, percent, lambda cell: cell.empty_rate),
    GuardrailMetric.LATENCY_P95: Metric(_milliseconds, _ms, lambda cell: cell.latency_p95),
    GuardrailMetric.FIRST_TOKEN_P95: Metric(
        _milliseconds, _ms, lambda cell: cell.first_token_p95, lambda cell: cell.streamed, "streamed answers"
    ),
    GuardrailMetric.PROMETHEUS: Metric(_value, numeral),
}


def metric(guardrail: Guardrail) -> Metric:
    return METRICS[guardrail.metric]


def limit(guardrail: Guardrail) -> float:
    return metric(guardrail).limit(guardrail)


def describe_limit(guardrail: Guardrail) -> str:
    return metric(guardrail).shown(limit(guardrail))
