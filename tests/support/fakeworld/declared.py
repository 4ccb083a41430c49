"""What a team and its admin declare in the fake world: quick, so that a loop takes minutes of the test's clock."""

from __future__ import annotations

from typing import Any

from feedbackloop.api import API_VERSION
from feedbackloop.api.adminconfig import AdminConfig

Json = dict[str, Any]
LOOP = "bot"
TARGET = "support-bot"
BASE = {"uri": f"s3://models/support-bot/{'b' * 64}/", "digest": "sha256:" + "b" * 64}
POLL_SECONDS = 10.0

ADMIN = AdminConfig.model_validate(
    {
        "endpoints": [
            {"name": "s3", "type": "S3", "url": "http://s3:8333"},
            {"name": "mlflow", "type": "MLflow", "url": "http://mlflow:5000"},
        ],
        "profiles": [{"name": "cpu-small", "image": "localhost/feedbackloop:test"}],
        "jobs": {"name": "jobs", "image": "localhost/feedbackloop:test"},
        "gateway": {"image": "localhost/feedbackloop:test"},
        "limits": {"pollActiveSeconds": POLL_SECONDS, "pollIdleSeconds": 60},
    }
)


def target() -> Json:
    """The team's Deployment."""
    labels = {"app": TARGET}
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "server",
        "image": "localhost/server:test",
        "ports": [{"name": "http", "containerPort": 8000}],
        "securityContext": restricted,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": TARGET},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def loop(**changes: Any) -> Json:
    """The team's FeedbackLoop; `changes` replace fields of its spec."""
    return {
        "apiVersion": API_VERSION,
        "kind": "FeedbackLoop",
        "metadata": {"name": LOOP},
        "spec": {**_spec(), **changes},
    }


def _spec() -> Json:
    models = {"endpointName": "s3", "bucket": "models", "credentialsSecretName": "models-read"}
    return {
        "target": {"deploymentName": TARGET, "modelContainer": "server", "port": "http", "model": BASE},
        "storage": {"endpointName": "s3", "bucket": "feedback", "prefix": "ml/", "credentialsSecretName": "s3"},
        "models": {**models, "writeCredentialsSecretName": "models-write"},
        "collection": {
            "signals": [{"name": "helpful", "kind": "Thumbs"}, {"name": "fix", "kind": "Correction"}],
            "appTokenSecretName": "app-token",
        },
        "encryption": {"key": {"secretName": "kek"}},
        "improvements": [improvement()],
        "registry": {"endpointName": "mlflow", "registeredModel": "support-bot"},
        "evaluation": _evaluation(),
        "rollout": _rollout(),
    }


def improvement(**training: Any) -> Json:
    """The improvement that the loop declares; `training` replaces fields of its training."""
    return {
        "name": "finetune",
        "trigger": {"minNewSignals": 100, "cooldownSeconds": 86_400},
        "training": {"stages": [{"name": "sft", "method": "SFT"}], "profileName": "cpu-small", **training},
    }


def _evaluation() -> Json:
    golden = {"objectName": "golden.jsonl", "digest": "sha256:" + "9" * 64}
    return {
        "suites": [
            {"name": "golden", "source": golden},
            {"name": "regressions", "source": {"acceptedCorrections": {}}},
        ],
        "gates": [
            {"name": "target", "suite": "regressions", "type": "Superiority"},
            {"name": "golden", "suite": "golden", "slice": "unchanged", "type": "NonInferiority", "margin": "0.05"},
        ],
    }


def _rollout() -> Json:
    outcome = {
        "name": "downvotes",
        "signal": "helpful",
        "attributionWindowSeconds": 10,
        "minRatedUnits": 50,
    }
    return {
        "steps": [
            {"setWeight": 10},
            {"analysis": {}},
            {"setWeight": 50},
            {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
        ],
        "outcomes": [outcome],
        "guardrails": [
            {"name": "errors", "metric": "ErrorRate", "maxRatio": "0.02", "minRequests": 20},
            {"name": "slow", "metric": "LatencyP95", "maxMilliseconds": 2000, "minRequests": 20},
        ],
        "bakeSeconds": 20,
        "watchSeconds": 0,
        "progressDeadlineSeconds": 300,
        "maxDurationSeconds": 7200,
    }


def run(name: str = "by-hand", improvement_name: str = "finetune") -> Json:
    """A run that a person asks for."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {"name": name},
        "spec": {"loopName": LOOP, "improvementName": improvement_name},
    }


def rollout(**changes: Any) -> Json:
    """The rollout that the loop declares; `changes` replace its fields."""
    return {**_rollout(), **changes}


def action(run_name: str, what: str, name: str, **spec: Any) -> Json:
    """What a person asks of a run."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RolloutAction",
        "metadata": {"name": name},
        "spec": {"runName": run_name, "action": what, "user": "alice", **spec},
    }
