"""`spec.evaluation`: suites, gates and the judge."""

from __future__ import annotations

from feedbackloop.api.evaluation.evaluation import Evaluation
from feedbackloop.api.evaluation.gates import CONTINUOUS, OF_THE_MODEL, Gate, GateEffect, GateType, Metric, Slice
from feedbackloop.api.evaluation.judge import Judge, Labels
from feedbackloop.api.evaluation.suites import (
    AcceptedCorrections,
    ConfigMapSource,
    ProbeKind,
    RefreshPolicy,
    Reuse,
    Suite,
    SuiteSource,
)

__all__ = [
    "CONTINUOUS",
    "OF_THE_MODEL",
    "AcceptedCorrections",
    "ConfigMapSource",
    "Evaluation",
    "Gate",
    "GateEffect",
    "GateType",
    "Judge",
    "Labels",
    "Metric",
    "ProbeKind",
    "RefreshPolicy",
    "Reuse",
    "Slice",
    "Suite",
    "SuiteSource",
]
