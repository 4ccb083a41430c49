"""A loop, its target and the admin's file, as tests of the loop controller need them."""

from __future__ import annotations

import copy
from typing import Any

from feedbackloop.api import API_VERSION
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import LoopRef

Json = dict[str, Any]

NAMESPACE = "ml"
LOOP = LoopRef(namespace=NAMESPACE, name="support-bot", uid="11111111-2222-3333-4444-555555555555")
BASE = {"uri": "s3://models/base/", "digest": "sha256:" + "a" * 64}
CANDIDATE = {"uri": "s3://models/candidate/", "digest": "sha256:" + "b" * 64}

ADMIN: Json = {
    "endpoints": [
        {"name": "minio", "type": "S3", "url": "http://s3.ml.svc:8333"},
        {"name": "mlflow", "type": "MLflow", "url": "http://mlflow.ml.svc:5000"},
    ],
    "profiles": [{"name": "cpu-small", "image": "feedbackloop-trainer:dev"}],
    "jobs": {
        "name": "light",
        "image": "feedbackloop:dev",
        "resources": {"requests": {"cpu": "0.1", "memory": "256Mi"}, "limits": {"memory": "1024Mi"}},
    },
    "gateway": {"image": "feedbackloop:dev", "resources": {"requests": {"cpu": "100m"}}},
}

SPEC: Json = {
    "target": {"deploymentName": "bot", "modelContainer": "server", "port": "http", "model": BASE},
    "storage": {"endpointName": "minio", "bucket": "feedback", "prefix": "ml/", "credentialsSecretName": "s3"},
    "models": {
        "endpointName": "minio",
        "bucket": "models",
        "credentialsSecretName": "s3-models-read",
        "writeCredentialsSecretName": "s3-models-write",
    },
    "collection": {
        "signals": [{"name": "helpful", "kind": "Thumbs"}, {"name": "fix", "kind": "Correction"}],
        "appTokenSecretName": "app-token",
    },
    "encryption": {"key": {"secretName": "loop-kek"}},
    "improvements": [
        {
            "name": "finetune",
            "trigger": {"minNewSignals": 10, "cooldownSeconds": 3600},
            "training": {"stages": [{"name": "sft", "method": "SFT"}], "profileName": "cpu-small"},
        }
    ],
    "registry": {"endpointName": "mlflow", "registeredModel": "support-bot"},
    "evaluation": {
        "suites": [{"name": "regressions", "source": {"acceptedCorrections": {}}}],
        "gates": [{"name": "target", "suite": "regressions", "type": "Superiority"}],
    },
    "rollout": {
        "steps": [{"setWeight": 10}, {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}],
        "outcomes": [
            {"name": "downvotes", "signal": "helpful", "attributionWindowSeconds": 15, "minRatedUnits": 20},
        ],
    },
}

TARGET: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "bot", "namespace": NAMESPACE, "uid": "99999999-0000-0000-0000-000000000000", "generation": 1},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "bot"}},
        "template": {
            "metadata": {"labels": {"app": "bot", "tier": "web"}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [
                    {
                        "name": "server",
                        "image": "server:1",
                        "ports": [{"name": "http", "containerPort": 9000, "protocol": "TCP"}],
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        },
    },
}


def admin(**changes: Any) -> AdminConfig:
    """The admin's file."""
    return AdminConfig.model_validate({**copy.deepcopy(ADMIN), **changes})


def spec_json(**changes: Any) -> Json:
    """A spec as YAML would give it, with other values at its first level."""
    return {k: v for k, v in {**copy.deepcopy(SPEC), **changes}.items() if v is not None}


def spec(**changes: Any) -> FeedbackLoopSpec:
    """The same, parsed."""
    return FeedbackLoopSpec.model_validate(spec_json(**changes))


def target(**changes: Any) -> Json:
    """The target's Deployment; changes apply to its spec."""
    made = copy.deepcopy(TARGET)
    made["spec"].update(changes)
    return made


def loop_object(name: str = LOOP.name, namespace: str = NAMESPACE, **changes: Any) -> Json:
    """A FeedbackLoop to apply."""
    return {
        "apiVersion": API_VERSION,
        "kind": "FeedbackLoop",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec_json(**changes),
    }
