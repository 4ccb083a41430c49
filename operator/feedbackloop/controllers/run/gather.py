"""The facts of one decision: only reads, and only those that the run's status asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import FEEDBACK_LOOP, IMPROVEMENT_RUN
from feedbackloop.adapters.ports import Json
from feedbackloop.api import ANNOTATION_CUT
from feedbackloop.api.conditions import Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, ModelStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.controllers.run.gather_queries import queries_seen
from feedbackloop.controllers.run.gather_serving import serving_seen
from feedbackloop.controllers.run.gather_stage import with_stage
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.lifecycle.run_active import active_run
from feedbackloop.domain.lifecycle.run_seen import LoopSeen, RunSeen

_CUT = TypeAdapter(tuple[PodOffset, ...])


def run_seen(body: Json) -> RunSeen:
    """What the object itself says."""
    metadata = body["metadata"]
    return RunSeen(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        spec=ImprovementRunSpec.model_validate(body["spec"]),
        status=ImprovementRunStatus.model_validate(body.get("status") or {}),
        loop=None,
    )


async def gather(adapters: Adapters, body: Json, now: datetime) -> RunSeen:
    """Everything the decision needs; a run that is over and settled needs nothing."""
    seen = run_seen(body)
    if _at_rest(seen.status):
        return seen
    seen = replace(seen, loop=await _loop(adapters, seen))
    if seen.status.outcome is not None:
        return replace(seen, model_keys=await _model_keys(adapters, seen))
    if seen.status.inputs is None:
        return await _before_start(adapters, seen, body)
    return await _under_way(adapters, seen, now)


def _at_rest(status: ImprovementRunStatus) -> bool:
    over = status.outcome is not None
    return over and (status.mlflow.settled_at is not None or status.mlflow.run_id is None)


async def _loop(adapters: Adapters, seen: RunSeen) -> LoopSeen | None:
    body = await adapters.kubernetes.get(FEEDBACK_LOOP, seen.namespace, seen.spec.loop_name)
    if body is None:
        return None
    try:
        spec = FeedbackLoopSpec.model_validate(body["spec"])
    except ValidationError as error:
        places = "; ".join(".".join(map(str, e["loc"])) for e in error.errors(include_input=False)[:4])
        raise UserError(Reason.INVALID_SPEC, f"the loop's spec is not understood at {places}") from None
    return LoopSeen(
        uid=body["metadata"]["uid"],
        spec=spec,
        status=FeedbackLoopStatus.model_validate(body.get("status") or {}),
        deleting=bool(body["metadata"].get("deletionTimestamp")),
    )


async def _before_start(adapters: Adapters, seen: RunSeen, body: Json) -> RunSeen:
    runs = await adapters.kubernetes.list(IMPROVEMENT_RUN, seen.namespace)
    first = active_run(runs, seen.spec.loop_name)
    blocked_by = str(first["metadata"]["name"]) if first else None
    seen = replace(seen, cut=_cut(body), blocked_by=None if blocked_by == seen.name else blocked_by)
    if seen.cut is None and seen.blocked_by is None and seen.loop is not None:
        seen = replace(seen, gateways=await _gateways(adapters, seen))
    return seen


def _cut(body: Json) -> tuple[PodOffset, ...] | None:
    text: Any = (body["metadata"].get("annotations") or {}).get(ANNOTATION_CUT)
    if text is None:
        return None
    try:
        return _CUT.validate_json(text)
    except ValidationError:
        raise UserError(Reason.INVALID_SPEC, f"annotation {ANNOTATION_CUT}: is no JSON list of pod offsets") from None


async def _under_way(adapters: Adapters, seen: RunSeen, now: datetime) -> RunSeen:
    seen = await with_stage(adapters, seen, now)
    if seen.status.gates and seen.status.mlflow.model_version is None:
        seen = replace(seen, model_keys=await _model_keys(adapters, seen))
    if seen.status.rollout is None:
        return seen
    gateways = await _gateways(adapters, seen)
    seen = replace(seen, queries=queries_seen(adapters.sources, seen, now))
    return replace(seen, gateways=gateways, serving=await serving_seen(adapters.kubernetes, seen))


async def _gateways(adapters: Adapters, seen: RunSeen) -> tuple[GatewayStatus, ...] | None:
    """Of every pod that the loop declares today: a loop that has grown since the run began is counted whole."""
    expected = seen.loop.spec.collection.replicas if seen.loop else 1
    return await adapters.gateways.statuses(seen.namespace, seen.spec.loop_name, expected)


async def _model_keys(adapters: Adapters, seen: RunSeen) -> tuple[tuple[str, str], ...]:
    """The uids of the runs that made the models that serve, so that their versions are found again."""
    made = {m.digest: m.run_name for m in _models(seen) if m.run_name is not None}
    keys: list[tuple[str, str]] = []
    for digest, name in sorted(made.items()):
        run = await adapters.kubernetes.get(IMPROVEMENT_RUN, seen.namespace, name)
        if run is not None:
            keys.append((digest, str(run["metadata"]["uid"])))
    return tuple(keys)


def _models(seen: RunSeen) -> list[ModelStatus]:
    pinned = seen.status.inputs.champion if seen.status.inputs else None
    loop = seen.loop.status if seen.loop else None
    serving = (loop.champion, loop.previous) if loop else ()
    return [m for m in (pinned, *serving) if m is not None]
