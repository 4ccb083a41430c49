"""Where the demo keeps things, and what it calls them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = Path(__file__).parent / "platform"
NAMESPACE = "feedback-demo"
IMAGE = "localhost/feedbackloop:dev"
RELEASE = "feedbackloop"
BUCKETS = ("feedback", "models", "mlflow")


class Scenario(StrEnum):
    """What the users do; the loop knows nothing of it."""

    PROMOTE = "promote"
    FORGETFUL = "forgetful"
    REGRESSION = "regression"
    PANDALM = "pandalm"


@dataclass(frozen=True)
class Settings:
    """One run of the demo."""

    scenario: Scenario
    seed: int = 7
    sessions_per_second: float = 10.0
    decision_limit: int = 600
    """Counted sessions by which a decision must have fallen."""
    deadline_seconds: float = 1500.0

    @property
    def loop(self) -> str:
        return "pandalm" if self.scenario is Scenario.PANDALM else "support-bot"

    @property
    def out(self) -> Path:
        return ROOT / "out" / "demo" / self.scenario.value


def cluster_name() -> str:
    """The cluster that the demo starts; `CLUSTER=current` uses the one of your kubeconfig."""
    return os.environ.get("CLUSTER", "demo")
