"""`spec.rollout`: steps, outcomes, guardrails, shadow, windows and who splits the traffic."""

from __future__ import annotations

from feedbackloop.api.rollout.base import OnTimeout
from feedbackloop.api.rollout.guardrails import Guardrail, GuardrailMetric, PrometheusQuery
from feedbackloop.api.rollout.outcomes import Direction, Harm, Mean, NonInferiority, Outcome, OutcomeEvent
from feedbackloop.api.rollout.rollout import (
    Assignment,
    Lifetime,
    NewRevisionPolicy,
    RollbackWindow,
    Rollout,
    StableUnhealthyPolicy,
)
from feedbackloop.api.rollout.routing import ByGateway, GatewayApi, KServe, Replicas, TrafficRouting
from feedbackloop.api.rollout.shadow import OnInconclusive, Shadow, ShadowMetric
from feedbackloop.api.rollout.steps import Analysis, Approval, CanaryScale, HeaderRoute, Pause, Step, Until
from feedbackloop.api.rollout.windows import Window, WindowKind

__all__ = [
    "Analysis",
    "Approval",
    "Assignment",
    "ByGateway",
    "CanaryScale",
    "Direction",
    "GatewayApi",
    "Guardrail",
    "GuardrailMetric",
    "Harm",
    "HeaderRoute",
    "KServe",
    "Lifetime",
    "Mean",
    "NewRevisionPolicy",
    "NonInferiority",
    "OnInconclusive",
    "OnTimeout",
    "Outcome",
    "OutcomeEvent",
    "Pause",
    "PrometheusQuery",
    "Replicas",
    "RollbackWindow",
    "Rollout",
    "Shadow",
    "ShadowMetric",
    "StableUnhealthyPolicy",
    "Step",
    "TrafficRouting",
    "Until",
    "Window",
    "WindowKind",
]
