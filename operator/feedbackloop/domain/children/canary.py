"""The canary Deployment: the target's own pods, with the candidate's model.

Its pods carry the template's labels without the keys that the target selects by, so neither the
target nor a Service that selects the target's pods ever counts a canary pod as one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from feedbackloop.api import LABEL_ARM
from feedbackloop.api.feedbackloop import Model, Target
from feedbackloop.api.gateway import Arm, LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children import target as targets
from feedbackloop.domain.children.adoption import (
    VOLUME,
    ModelSource,
    init_container,
    model_env,
    mount,
    volume,
)
from feedbackloop.domain.children.arms import canary_selector
from feedbackloop.domain.children.common import Json, metadata, optional

_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def canary_deployment(
    loop: LoopRef,
    deployment: Json,
    target: Target,
    model: Model,
    origin: ModelSource,
    *,
    replicas: int,
    progress_deadline_seconds: int,
) -> Json:
    """The Deployment that serves the candidate."""
    spec = deployment["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(loop, naming.canary(loop.name), labels={LABEL_ARM: Arm.CANARY.value}),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": progress_deadline_seconds,
            **optional(minReadySeconds=spec.get("minReadySeconds")),
            "selector": {"matchLabels": canary_selector(loop)},
            "template": _template(loop, deployment, target, model, origin),
        },
    }


def pod_labels(loop: LoopRef, deployment: Json) -> dict[str, str]:
    """The labels of canary pods."""
    labels: dict[str, str] = targets.template(deployment).get("metadata", {}).get("labels", {})
    dropped = targets.selector_keys(deployment)
    return {k: v for k, v in labels.items() if k not in dropped} | canary_selector(loop)


def _template(loop: LoopRef, deployment: Json, target: Target, model: Model, origin: ModelSource) -> Json:
    template = targets.template(deployment)
    annotations = template.get("metadata", {}).get("annotations", {})
    kept = {k: v for k, v in annotations.items() if k != _RESTARTED_AT}
    return {
        "metadata": {"labels": pod_labels(loop, deployment), **optional(annotations=kept)},
        "spec": _pod_spec(template["spec"], target, model, origin),
    }


def _pod_spec(spec: Json, target: Target, model: Model, origin: ModelSource) -> Json:
    containers = [
        _with_model(c, target, model) if c["name"] == target.model_container else c for c in spec["containers"]
    ]
    made = {
        **spec,
        "initContainers": _replaced(spec.get("initContainers", ()), "name", [init_container(model, origin)]),
        "containers": containers,
        "volumes": _replaced(spec.get("volumes", ()), "name", [volume()]),
    }
    return {key: _without_nothing(value) for key, value in made.items() if value is not None}


def _with_model(container: Json, target: Target, model: Model) -> Json:
    mounts = [m for m in container.get("volumeMounts", ()) if m["name"] != VOLUME]
    return {
        **container,
        "env": _replaced(container.get("env", ()), "name", model_env(model)),
        "volumeMounts": _replaced(mounts, "mountPath", [mount(target)]),
    }


def _replaced(items: Iterable[Json], key: str, ours: list[Json]) -> list[Json]:
    """The items with ours in the place of those of the same key."""
    keys = {item[key] for item in ours}
    return [item for item in items if item.get(key) not in keys] + ours


def _without_nothing(value: Any) -> Any:
    """Without nulls, which a server-side apply would read as a wish to remove the field."""
    if isinstance(value, Mapping):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nothing(v) for v in value]
    return value
