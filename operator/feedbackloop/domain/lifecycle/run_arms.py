"""How many pods of an arm are ready, and which model they carry.

A pod carries the digest that its init container was told to verify: it cannot be ready without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from feedbackloop.domain.children.target import replicas
from feedbackloop.domain.rollout import ArmObserved

Json = Mapping[str, Any]
DIGEST_ENV = "MODEL_DIGEST"


def arm_observed(deployment: dict[str, Any] | None, pods: Iterable[Json]) -> ArmObserved:
    """An arm's Deployment and its pods; an arm without a Deployment has none."""
    if deployment is None:
        return ArmObserved(replicas=0, ready=0, digest=None)
    ready = [pod for pod in pods if _ready(pod)]
    digests = {_digest(pod) for pod in ready}
    return ArmObserved(
        replicas=replicas(deployment),
        ready=len(ready),
        digest=digests.pop() if len(digests) == 1 else None,
    )


def _ready(pod: Json) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _digest(pod: Json) -> str | None:
    containers = [*pod["spec"].get("initContainers", ()), *pod["spec"].get("containers", ())]
    env = (item for container in containers for item in container.get("env", ()))
    return next((str(item.get("value")) for item in env if item["name"] == DIGEST_ENV), None)
