"""From the objects of the API server to the facts that decisions are made from."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from feedbackloop.adapters.ports import Json
from feedbackloop.api import ANNOTATION_CONFIRM_SWEEP, FINALIZER
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus
from feedbackloop.api.gateway import LoopRef
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.api.rollout import TrafficRouting
from feedbackloop.domain.lifecycle.loop_observation import LoopFacts, OtherLoop, PodsSeen, RunSeen
from feedbackloop.domain.lifecycle.run_active import active_run
from feedbackloop.domain.rfc3339 import instant
from feedbackloop.domain.traffic.ownership import owned

_GONE_PHASES = ("Succeeded", "Failed")


def loop_facts(body: Json) -> LoopFacts:
    """The FeedbackLoop."""
    meta = body["metadata"]
    spec, error = _spec(body.get("spec", {}))
    since = meta.get("deletionTimestamp")
    return LoopFacts(
        ref=LoopRef(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"]),
        generation=int(meta.get("generation", 0)),
        created=meta.get("creationTimestamp", ""),
        spec=spec,
        spec_error=error,
        status=FeedbackLoopStatus.model_validate(body.get("status") or {}),
        has_finalizer=FINALIZER in meta.get("finalizers", ()),
        deleting_since=instant(since) if since else None,
        confirmed_sweep=str((meta.get("annotations") or {}).get(ANNOTATION_CONFIRM_SWEEP, ""))[:100],
    )


def _spec(spec: Json) -> tuple[FeedbackLoopSpec | None, str]:
    """Admission has judged it already; a spec from before an upgrade of the CRD may still be refused here."""
    try:
        return FeedbackLoopSpec.model_validate(spec), ""
    except ValidationError as cause:
        return None, "; ".join(_sentence(e["loc"], e["msg"]) for e in cause.errors()[:3])


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"spec{path}: {message}"


def other_loops(bodies: Iterable[Json], uid: str) -> tuple[OtherLoop, ...]:
    """The loops but this one."""
    return tuple(_other(b) for b in bodies if b["metadata"]["uid"] != uid)


def _other(body: Json) -> OtherLoop:
    meta = body["metadata"]
    target = body.get("spec", {}).get("target", {})
    return OtherLoop(
        meta["name"],
        meta["uid"],
        meta.get("creationTimestamp", ""),
        target.get("deploymentName"),
        _models(body, target),
        _route(body),
    )


def _route(body: Json) -> str | None:
    """Read leniently: a loop of another version must not keep this one from being looked at."""
    declared = (body.get("spec", {}).get("rollout") or {}).get("trafficRouting")
    try:
        return owned(TrafficRouting.model_validate(declared)) if declared else None
    except ValidationError:
        return None


def _models(body: Json, target: Json) -> frozenset[str]:
    status = body.get("status") or {}
    roles = (
        target.get("model"),
        *(status.get(role) for role in ("declaredModel", "champion", "previous", "candidate")),
    )
    return frozenset(str(role["digest"]) for role in roles if role and "digest" in role)


def runs_of(bodies: Iterable[Json], loop: LoopRef) -> tuple[tuple[RunSeen, ...], RunSeen | None]:
    """The runs of this loop, and the one whose turn it is; those of a former loop of its name are not its own."""
    mine = [b for b in bodies if b["spec"]["loopName"] == loop.name and _uid_of(b) in (None, loop.uid)]
    runs = tuple(_run(b) for b in mine)
    turn = active_run(mine, loop.name)
    active = next((r for r in runs if turn is not None and r.uid == turn["metadata"]["uid"]), None)
    return runs, active


def _uid_of(body: Json) -> str | None:
    """The loop that a run has pinned."""
    inputs = (body.get("status") or {}).get("inputs") or {}
    uid: str | None = inputs.get("loopUid")
    return uid


def _run(body: Json) -> RunSeen:
    meta = body["metadata"]
    return RunSeen(
        name=meta["name"],
        uid=meta["uid"],
        created=meta["creationTimestamp"],
        improvement=body["spec"]["improvementName"],
        status=ImprovementRunStatus.model_validate(body.get("status") or {}),
    )


def pods_seen(bodies: Iterable[Json], container: str) -> PodsSeen:
    """The pods that are there to stay."""
    pods = [b for b in bodies if _stays(b)]
    return PodsSeen(
        total=len(pods), ready=sum(_is_ready(p) for p in pods), digests=frozenset(_digest(p, container) for p in pods)
    )


def _stays(pod: Json) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in _GONE_PHASES


def _is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _digest(pod: Json, container: str) -> str | None:
    """What the pod's spec says: our init container has verified it before the pod could become ready."""
    containers = pod.get("spec", {}).get("containers", ())
    env = next((c.get("env", ()) for c in containers if c["name"] == container), ())
    return next((e.get("value") for e in env if e["name"] == "MODEL_DIGEST"), None)
