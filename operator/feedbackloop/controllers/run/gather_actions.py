"""The actions of a run, and the run that it repeats."""

from __future__ import annotations

from pydantic import ValidationError

from feedbackloop.adapters.kinds import IMPROVEMENT_RUN, ROLLOUT_ACTION
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.api.rolloutaction import Action, RolloutActionSpec
from feedbackloop.domain.lifecycle.held_actions import HeldAction, seen_of
from feedbackloop.domain.lifecycle.run_seen import RunSeen


async def actions_seen(kubernetes: KubernetesPort, seen: RunSeen) -> tuple[HeldAction, ...]:
    """The run's own actions without a result, oldest first. Retry is not about a run that is under way."""
    bodies = await kubernetes.list(ROLLOUT_ACTION, seen.namespace)
    found = [
        _held(b) for b in sorted(bodies, key=_age) if _owned(b, seen.uid) and not b.get("status", {}).get("result")
    ]
    return tuple(a for a in found if a is not None and a.seen.action is not Action.RETRY)


def _age(body: Json) -> tuple[str, str]:
    return (str(body["metadata"]["creationTimestamp"]), str(body["metadata"]["name"]))


def _owned(body: Json, uid: str) -> bool:
    """The run owns it: an action for a former run of its name is not its own."""
    return any(o.get("uid") == uid for o in body["metadata"].get("ownerReferences", ()))


def _held(body: Json) -> HeldAction | None:
    metadata = body["metadata"]
    try:
        spec = RolloutActionSpec.model_validate(body["spec"])
    except ValidationError:  # of a newer version: its own controller says so
        return None
    return HeldAction(
        name=metadata["name"],
        resource_version=metadata["resourceVersion"],
        generation=int(metadata.get("generation", 0)),
        seen=seen_of(metadata["uid"], spec, metadata["creationTimestamp"]),
    )


async def retried_status(kubernetes: KubernetesPort, seen: RunSeen) -> ImprovementRunStatus | None:
    """The status of the run that this one repeats; None when there is none, or it is gone."""
    if seen.spec.retry_of is None:
        return None
    body = await kubernetes.get(IMPROVEMENT_RUN, seen.namespace, seen.spec.retry_of)
    return None if body is None else ImprovementRunStatus.model_validate(body.get("status") or {})
