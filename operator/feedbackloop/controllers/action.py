"""The controller of `RolloutAction`: gives an action to its run, and answers for runs that cannot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import FEEDBACK_LOOP, IMPROVEMENT_RUN, ROLLOUT_ACTION
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.api import ANNOTATION_ACTION
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.api.rolloutaction import Action, ActionResult, RolloutActionSpec, RolloutActionStatus
from feedbackloop.domain.errors import Conflict
from feedbackloop.domain.lifecycle.action_decide import ActionDecision, decide
from feedbackloop.domain.lifecycle.action_seen import ActionObservation, OtherRun, RunOfAction
from feedbackloop.domain.lifecycle.run_seen import LoopSeen
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.engine.keys import Key
from feedbackloop.engine.watch import Watch, by_name, by_owner, several

WATCHES = (
    Watch(
        ROLLOUT_ACTION.group,
        ROLLOUT_ACTION.version,
        ROLLOUT_ACTION.plural,
        ROLLOUT_ACTION.kind,
        several(by_name, by_owner(IMPROVEMENT_RUN.kind)),
    ),
)
"""An action wakes itself and, once its run owns it, that run."""


class ActionReconciler:
    """At most three writes an action: its owner, a run for a Retry, its status."""

    kind = ROLLOUT_ACTION.kind

    def __init__(self, adapters: Adapters) -> None:
        self._kubernetes = adapters.kubernetes

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        body = await self._kubernetes.get(ROLLOUT_ACTION, key.namespace, key.name)
        if body is None or body["metadata"].get("deletionTimestamp") or body.get("status", {}).get("result"):
            return None
        try:
            decision = decide(await gather(self._kubernetes, body))
        except ValidationError:
            message = "this version of the operator does not know such an action"
            decision = ActionDecision(result=ActionResult.VOID, message=message)
        await self._carry_out(body, decision, now)
        return decision.requeue_seconds

    async def _carry_out(self, body: Json, decision: ActionDecision, now: datetime) -> None:
        if decision.own is not None:
            body = await self._own(body, decision.own)
        if decision.create is not None and await self._kubernetes.create(dict(decision.create)) is None:
            # Another action has taken the name: look again, and find a free one.
            raise Conflict(f"run {decision.create['metadata']['name']} exists already")
        if decision.result is not None:
            await self._answer(body, decision.result, decision.message, now)

    async def _own(self, body: Json, run: RunOfAction) -> Json:
        owner = {"apiVersion": IMPROVEMENT_RUN.api_version, "kind": IMPROVEMENT_RUN.kind, "name": run.name}
        return await self._kubernetes.apply(_head(body, ownerReferences=[{**owner, "uid": run.uid}]))

    async def _answer(self, body: Json, result: ActionResult, message: str, now: datetime) -> None:
        status = RolloutActionStatus(
            observed_generation=int(body["metadata"]["generation"]),
            result=result,
            message=message[:1024],
            at=stamp(now),
        )
        await self._kubernetes.apply({**_head(body), "status": status.to_wire()}, subresource="status")


def _head(body: Json, **metadata: Any) -> Json:
    """What an apply against the version that was read begins with."""
    names = {k: body["metadata"][k] for k in ("name", "namespace", "resourceVersion")}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {**names, **metadata}}


async def gather(kubernetes: KubernetesPort, body: Json) -> ActionObservation:
    """The action with its run; for a Retry also the loop and the other runs."""
    metadata, spec = body["metadata"], RolloutActionSpec.model_validate(body["spec"])
    run = await _run(kubernetes, metadata["namespace"], spec.run_name)
    retry = spec.action is Action.RETRY and run is not None
    return ActionObservation(
        name=metadata["name"],
        uid=metadata["uid"],
        generation=int(metadata["generation"]),
        created=metadata["creationTimestamp"],
        spec=spec,
        status=RolloutActionStatus.model_validate(body.get("status") or {}),
        owners=frozenset(o["uid"] for o in metadata.get("ownerReferences", ())),
        run=run,
        loop=await _loop(kubernetes, run) if retry and run else None,
        others=await _others(kubernetes, metadata["namespace"]) if retry else (),
    )


async def _run(kubernetes: KubernetesPort, namespace: str, name: str) -> RunOfAction | None:
    body = await kubernetes.get(IMPROVEMENT_RUN, namespace, name)
    if body is None:
        return None
    return RunOfAction(
        namespace=namespace,
        name=name,
        uid=body["metadata"]["uid"],
        spec=ImprovementRunSpec.model_validate(body["spec"]),
        status=ImprovementRunStatus.model_validate(body.get("status") or {}),
        leaving=bool(body["metadata"].get("deletionTimestamp")),
    )


async def _loop(kubernetes: KubernetesPort, run: RunOfAction) -> LoopSeen | None:
    body = await kubernetes.get(FEEDBACK_LOOP, run.namespace, run.spec.loop_name)
    if body is None:
        return None
    return LoopSeen(
        uid=body["metadata"]["uid"],
        spec=FeedbackLoopSpec.model_validate(body["spec"]),
        status=FeedbackLoopStatus.model_validate(body.get("status") or {}),
        deleting=bool(body["metadata"].get("deletionTimestamp")),
    )


async def _others(kubernetes: KubernetesPort, namespace: str) -> tuple[OtherRun, ...]:
    found = [b["metadata"] for b in await kubernetes.list(IMPROVEMENT_RUN, namespace)]
    return tuple(OtherRun(m["name"], (m.get("annotations") or {}).get(ANNOTATION_ACTION, "")) for m in found)
