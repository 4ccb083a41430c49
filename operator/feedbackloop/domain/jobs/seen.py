"""A Job and its pods as seen in the cluster, reduced to what a decision needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedbackloop.api import ANNOTATION_SPEC_DIGEST

Json = Mapping[str, Any]


SAID = 500


@dataclass(frozen=True)
class PodSeen:
    exit_code: int | None = None
    """Unset while the container runs, or when it never ran."""
    reason: str = ""
    """OOMKilled, Evicted, NodeLost, …"""
    disrupted: bool = False
    """The cluster took the pod away."""
    waiting: str = ""
    """Why the container does not start yet."""
    said: str = ""
    """The job's own words about its end, from its termination log."""


@dataclass(frozen=True)
class ChildSeen:
    """Whose an object is that bears the name of a child of ours."""

    owner_uid: str
    spec_digest: str


@dataclass(frozen=True)
class JobSeen(ChildSeen):
    complete: bool = False
    failed: bool = False
    failed_reason: str = ""
    pods: tuple[PodSeen, ...] = ()
    """Newest first."""
    started_at: str = ""
    """When the Job controller took it up."""


def job_seen(job: Json, pods: Sequence[Json]) -> JobSeen:
    """The Job with its pods."""
    child, failed = child_seen(job), _condition(job, "Failed")
    newest = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    return JobSeen(
        owner_uid=child.owner_uid,
        spec_digest=child.spec_digest,
        complete=_condition(job, "Complete") is not None,
        failed=failed is not None,
        failed_reason=str(failed.get("reason", "")) if failed else "",
        pods=tuple(_pod_seen(pod) for pod in newest),
        started_at=str(job.get("status", {}).get("startTime", "")),
    )


def child_seen(child: Json) -> ChildSeen:
    """Its owner and the digest of the spec it was made for; empty where it was not made by us."""
    owners = child["metadata"].get("ownerReferences") or [{}]
    annotations = child["metadata"].get("annotations") or {}
    return ChildSeen(str(owners[0].get("uid", "")), str(annotations.get(ANNOTATION_SPEC_DIGEST, "")))


def _condition(body: Json, type_: str) -> Json | None:
    conditions = body.get("status", {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == type_ and c["status"] == "True"), None)


def _pod_seen(pod: Json) -> PodSeen:
    status = pod.get("status", {})
    state = (status.get("containerStatuses") or [{}])[0].get("state") or {}
    ended = state.get("terminated") or {}
    return PodSeen(
        exit_code=ended.get("exitCode"),
        reason=str(ended.get("reason") or status.get("reason") or ""),
        disrupted=_condition(pod, "DisruptionTarget") is not None,
        waiting=_waiting(pod, state),
        said=" ".join(str(ended.get("message") or "").split())[:SAID],
    )


def _waiting(pod: Json, state: Json) -> str:
    if "waiting" in state:
        return str(state["waiting"].get("reason", ""))
    conditions = pod.get("status", {}).get("conditions") or []
    unscheduled = (c for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False")
    return next((str(c.get("reason", "")) for c in unscheduled), "")
