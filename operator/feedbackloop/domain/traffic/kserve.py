"""KServe's raw deployments: the canary is an entry of `spec.canary` (KServe 0.20 and later), and KServe splits.

`spec.canary` is one atomic list and wholly ours. A canary's pods are KServe's own, so its weight is 0 until every one
of them is available. Promotion is one patch: the stable predictor takes the canary's name, and with it its Deployment
and its pods, which were never restarted, and the entry goes. Up to 0.19 there is only
`spec.predictor.canaryTrafficPercent`, which KServe ignores without a word unless Knative deploys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.traffic.model import RouterSeen

Json = dict[str, Any]
API_VERSION = "serving.kserve.io/v1beta1"
MODE = "serving.kserve.io/deploymentMode"
RAW = "Standard"
"""The mode's value that KServe's admission asks for where there is a canary."""
CONTAINER = "kserve-container"
SCALING = ("maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling", "workerSpec")
"""Fields of a predictor that KServe refuses in a canary."""


@dataclass(frozen=True)
class Candidate:
    name: str
    """The canary's predictor name: `{service}-{name}-predictor` is its Deployment."""
    uri: str
    replicas: int


def entry(service: Json, candidate: Candidate, weight: int) -> Json:
    """The canary: the stable predictor's own spec with the candidate's model, a name and a fixed number of pods."""
    predictor = service["spec"]["predictor"]
    kept = {k: v for k, v in predictor.items() if k not in (*SCALING, "canaryTrafficPercent")}
    # The CRD demands a name of a canary's model container, and none of stable's; it is KServe's own.
    model = {"name": CONTAINER, **predictor["model"], "storageUri": candidate.uri}
    return {
        "predictor": {**kept, "name": candidate.name, "minReplicas": candidate.replicas, "model": model},
        "trafficPercent": weight,
    }


def desired(service: Json, candidate: Candidate, weight: int, deployment: Json | None) -> Json:
    """A merge patch: the candidate with `weight` (0 to 99), and with 0 while a pod of its Deployment is missing."""
    held = weight if available(deployment, candidate) else 0
    return _patch(service, {"canary": [entry(service, candidate, held)], **_floor(service, candidate)})


def promoted(service: Json, candidate: Candidate) -> Json:
    """A merge patch: the candidate is the stable predictor, without a restart, and there is no canary."""
    predictor = {"name": candidate.name, "model": {"storageUri": candidate.uri}}
    return _patch(service, {"predictor": predictor, "canary": None})


def aborted(service: Json) -> Json:
    """A merge patch: there is no canary."""
    return _patch(service, {"canary": None})


def _patch(service: Json, spec: Json) -> Json:
    """Against the version that was read: the API server refuses it when anybody wrote in between."""
    return {"metadata": {"resourceVersion": service["metadata"]["resourceVersion"]}, "spec": spec}


def _floor(service: Json, candidate: Candidate) -> Json:
    """KServe refuses a canary with more pods than stable's minimum."""
    now = int(service["spec"]["predictor"].get("minReplicas", 1))
    return {"predictor": {"minReplicas": candidate.replicas}} if now < candidate.replicas else {}


def deployment_name(service: Json, candidate: Candidate) -> str:
    return f"{service['metadata']['name']}-{candidate.name}-predictor"


def available(deployment: Json | None, candidate: Candidate) -> bool:
    """Every pod: KServe's own `ready` is true with the first one."""
    if deployment is None:
        return False
    status = deployment.get("status", {})
    current = int(status.get("observedGeneration", 0)) >= int(deployment["metadata"].get("generation", 0))
    return current and int(status.get("availableReplicas", 0)) >= max(1, candidate.replicas)


def observe(service: Json, candidate: Candidate, weight: int) -> RouterSeen:
    """What KServe does with the candidate's `weight`."""
    obstacle = unsupported(service)
    if obstacle:
        return RouterSeen(impossible=Reason.ROUTER_NOT_SUPPORTED, message=obstacle)
    found = _entry(service, candidate)
    seen = RouterSeen(weight=int(found["trafficPercent"]) if found else 0)
    if found is None or found != entry(service, candidate, weight):
        return replace(seen, message="the canary is not written yet, or its pods are not all there")
    if not _current(service):
        return replace(seen, written=True, message="waiting for KServe to look at the InferenceService")
    told = _status(service, candidate)
    routed = bool(told.get("ready")) and int(told.get("trafficPercent", 0)) == weight
    words = "" if routed else f"KServe says of canary {candidate.name}: {told or 'nothing'}"
    return replace(seen, written=True, handled=routed, accepted=routed, message=words)


def unsupported(service: Json) -> str:
    """Why KServe would ignore or refuse a canary here; empty when it would not."""
    mode = (service["metadata"].get("annotations") or {}).get(MODE, "")
    predictor = service["spec"]["predictor"]
    if mode != RAW:
        return f"annotation {MODE} is {mode or 'not set'}: KServe has spec.canary with {RAW} deployments only"
    if "workerSpec" in predictor:
        return "spec.predictor.workerSpec: KServe has no canary for several nodes"
    if "model" not in predictor:
        return "spec.predictor.model: KServe's canary needs it"
    return ""


def _current(service: Json) -> bool:
    generation = int(service["metadata"].get("generation", 0))
    return int(service.get("status", {}).get("observedGeneration", 0)) >= generation


def _entry(service: Json, candidate: Candidate) -> Json | None:
    entries: list[Json] = service["spec"].get("canary") or []
    return next((e for e in entries if e["predictor"].get("name") == candidate.name), None)


def _status(service: Json, candidate: Candidate) -> Json:
    statuses: list[Json] = service.get("status", {}).get("canaryStatuses") or []
    return next((s for s in statuses if s.get("name") == candidate.name), {})
