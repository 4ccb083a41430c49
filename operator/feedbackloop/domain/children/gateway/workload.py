"""The gateway's StatefulSet: pods, each with its log on a volume that outlives it."""

from __future__ import annotations

from feedbackloop.api.adminconfig import GatewaySettings
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import ADMIN_PORT, APP_PORT, FEEDBACK_PORT, METRICS_PORT, LoopRef
from feedbackloop.api.jobs import SECRETS_PATH
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import (
    LIBRARY,
    PYTHON,
    Json,
    container_security,
    metadata,
    optional,
    pod_security,
)
from feedbackloop.domain.children.encryption import CREDENTIALS, volume_source
from feedbackloop.domain.children.gateway.services import COMPONENT, pod_labels

LOG_VOLUME = "log"
LOG_PATH = "/var/lib/feedbackloop"
ANNOTATION_LOOP_UID = "feedbackloop.dev/loop-uid"
"""On the log's claim: whose log it is, should a loop of the same name come later."""
_TERMINATION_SECONDS = 60
_PORTS = {"app": APP_PORT, "feedback": FEEDBACK_PORT, "admin": ADMIN_PORT, "metrics": METRICS_PORT}


def stateful_set(loop: LoopRef, spec: FeedbackLoopSpec, settings: GatewaySettings, live: Json | None) -> Json:
    """The gateway's pods."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(loop, naming.gateway(loop.name), labels=COMPONENT),
        "spec": {
            "replicas": spec.collection.replicas,
            "serviceName": naming.gateway_pods(loop.name),
            # With OrderedReady a pod that never became ready would not be replaced by a mended one.
            "podManagementPolicy": "Parallel",
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": pod_labels(loop)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "volumeClaimTemplates": [_claim(loop, settings, live)],
            "template": {
                "metadata": {"labels": {**_extra_labels(loop), **pod_labels(loop)}},
                "spec": _pod(loop, spec, settings),
            },
        },
    }


def _extra_labels(loop: LoopRef) -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "feedbackloop", "app.kubernetes.io/instance": loop.name}


def _claim(loop: LoopRef, settings: GatewaySettings, live: Json | None) -> Json:
    """The log's claim. It is immutable: a StatefulSet that is there keeps the size and class it was made with."""
    there = _live_claim_spec(live)
    size = there.get("resources", {}).get("requests", {}).get("storage", settings.storage)
    storage_class = there.get("storageClassName") if there else settings.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": LOG_VOLUME,
            "labels": pod_labels(loop),
            "annotations": {ANNOTATION_LOOP_UID: loop.uid},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **optional(storageClassName=storage_class),
        },
    }


def _live_claim_spec(live: Json | None) -> Json:
    claims: list[Json] = (live or {}).get("spec", {}).get("volumeClaimTemplates", [])
    return next((c["spec"] for c in claims if c["metadata"]["name"] == LOG_VOLUME), {})


def _pod(loop: LoopRef, spec: FeedbackLoopSpec, settings: GatewaySettings) -> Json:
    return {
        "serviceAccountName": naming.gateway(loop.name),
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _TERMINATION_SECONDS,
        "securityContext": pod_security(),
        "containers": [_container(loop, spec, settings)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, *_secret_volumes(spec)],
        **optional(affinity=_apart(loop) if spec.collection.replicas > 1 else None),
    }


def _apart(loop: LoopRef) -> Json:
    """On different nodes where there are some: a node that is lost then takes one owner with it, not all."""
    term = {"labelSelector": {"matchLabels": pod_labels(loop)}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _container(loop: LoopRef, spec: FeedbackLoopSpec, settings: GatewaySettings) -> Json:
    return {
        "name": "gateway",
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [PYTHON, "-m", "feedbackloop.gateway"],
        "env": _env(loop),
        "ports": [_port(name, number) for name, number in _PORTS.items()],
        "startupProbe": {**_probe("/livez"), "periodSeconds": 1, "failureThreshold": 120},
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 2, "failureThreshold": 2},
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": LOG_VOLUME, "mountPath": LOG_PATH},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir: the root is read-only
            *({"name": n, "mountPath": f"{SECRETS_PATH}/{n}", "readOnly": True} for n in _secrets(spec)),
        ],
        **optional(resources=settings.resources),
    }


def _env(loop: LoopRef) -> list[Json]:
    plain = {
        "FL_CONFIG_NAMESPACE": loop.namespace,
        "FL_CONFIG_NAME": naming.gateway(loop.name),
        "FL_METRICS_PORT": str(METRICS_PORT),
        "PYTHONPATH": LIBRARY,
    }
    pod_name = {"name": "FL_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [*({"name": name, "value": value} for name, value in plain.items()), pod_name]


def _secrets(spec: FeedbackLoopSpec) -> dict[str, Json]:
    """The source of each directory; a Secret's other keys are none of ours."""
    verified = spec.collection.verified_token_secret_name
    return {
        "storage": _source(spec.storage.credentials_secret_name, CREDENTIALS),
        "kek": volume_source(spec.encryption.key),
        "app": _source(spec.collection.app_token_secret_name, ("token",)),
        **({"verified": _source(verified, ("token",))} if verified else {}),
    }


def _secret_volumes(spec: FeedbackLoopSpec) -> list[Json]:
    return [{"name": name, **source} for name, source in _secrets(spec).items()]


def _source(secret: str, keys: tuple[str, ...]) -> Json:
    items = [{"key": key, "path": key} for key in keys]
    return {"secret": {"secretName": secret, "defaultMode": 0o440, "items": items}}


def _port(name: str, number: int) -> Json:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _probe(path: str) -> Json:
    return {"httpGet": {"path": path, "port": "admin"}, "timeoutSeconds": 3}
