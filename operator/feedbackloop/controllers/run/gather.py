"""The facts of one decision: only reads, and only those that the run's status asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import FEEDBACK_LOOP, IMPROVEMENT_RUN
from feedbackloop.adapters.ports import Json
from feedbackloop.adapters.traffic import read_router
from feedbackloop.api import ANNOTATION_CUT
from feedbackloop.api.conditions import Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, ModelStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.api.rollout import NewRevisionPolicy
from feedbackloop.controllers.run.gather_actions import actions_seen, retried_status
from feedbackloop.controllers.run.gather_queries import queries_seen
from feedbackloop.controllers.run.gather_serving import serving_seen
from feedbackloop.controllers.run.gather_stage import with_stage
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_active import active_run, newest_waiting
from feedbackloop.domain.lifecycle.run_provider import provider_in
from feedbackloop.domain.lifecycle.run_seen import LoopSeen, RunSeen
from feedbackloop.domain.lifecycle.run_watch import watched
from feedbackloop.domain.traffic import ProviderSeen

_MOST_RETRIES = 32
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
    """Everything the decision needs; a run that is over and settled needs nothing, unless late votes are watched."""
    seen = run_seen(body)
    if _at_rest(seen.status):
        return seen if not watched(seen.status, now) else await _late(adapters, seen)
    seen = replace(seen, loop=await _loop(adapters, seen))
    if seen.status.outcome is not None:
        return replace(seen, model_keys=await _model_keys(adapters, seen))
    seen = replace(seen, actions=await actions_seen(adapters.kubernetes, seen))
    if seen.status.rollout is None:
        seen = replace(seen, retried=await retried_status(adapters.kubernetes, seen))
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


async def _late(adapters: Adapters, seen: RunSeen) -> RunSeen:
    """The votes that come after a promotion."""
    seen = replace(seen, loop=await _loop(adapters, seen))
    return replace(seen, gateways=await _gateways(adapters, seen))


async def _before_start(adapters: Adapters, seen: RunSeen, body: Json) -> RunSeen:
    runs = await adapters.kubernetes.list(IMPROVEMENT_RUN, seen.namespace)
    first, newest = _name(active_run(runs, seen.spec.loop_name)), _name(_newest(runs, seen))
    blocked_by = None if first == seen.name else first
    seen = replace(seen, cut=_cut(body), blocked_by=blocked_by, newer=None if newest == seen.name else newest)
    if seen.blocked_by is None and seen.loop is not None:
        seen = replace(seen, gateways=await _gateways(adapters, seen))
    return seen


def _newest(runs: list[Json], seen: RunSeen) -> Mapping[str, Any] | None:
    """The newest run that waits and could go on."""
    improvements = [i.name for i in seen.loop.spec.improvements] if seen.loop else []
    return newest_waiting(runs, seen.spec.loop_name, improvements)


def _name(run: Mapping[str, Any] | None) -> str | None:
    return None if run is None else str(run["metadata"]["name"])


async def _superseded_by(adapters: Adapters, seen: RunSeen) -> str | None:
    """Asked only where a newer run may go first; a suspended loop starts none."""
    loop = seen.loop
    if loop is None or loop.policy is not NewRevisionPolicy.SUPERSEDE or loop.spec.suspend:
        return None
    return _name(_newest(await adapters.kubernetes.list(IMPROVEMENT_RUN, seen.namespace), seen))


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
    seen = replace(seen, superseded_by=await _superseded_by(adapters, seen))
    if seen.status.gates and seen.status.mlflow.model_version is None:
        seen = replace(seen, model_keys=await _model_keys(adapters, seen))
    if seen.status.rollout is None:
        # Its plan is made from the traffic of before.
        return replace(seen, gateways=await _gateways(adapters, seen)) if seen.status.gates else seen
    gateways = await _gateways(adapters, seen)
    seen = replace(seen, queries=queries_seen(adapters.sources, seen, now))
    seen = replace(seen, gateways=gateways, serving=await serving_seen(adapters.kubernetes, seen))
    return replace(seen, provider=await _provider(adapters, seen))


async def _provider(adapters: Adapters, seen: RunSeen) -> ProviderSeen | None:
    """Of a router that is not the gateway."""
    inputs = seen.status.inputs
    rollout = pinned(inputs.pinned_spec).rollout if inputs else None
    if rollout is None:
        return None
    return provider_in(seen, await read_router(adapters.kubernetes, seen.namespace, rollout.traffic_routing))


async def _gateways(adapters: Adapters, seen: RunSeen) -> tuple[GatewayStatus, ...] | None:
    """Of every pod that the loop declares today: a loop that has grown since the run began is counted whole."""
    expected = seen.loop.spec.collection.replicas if seen.loop else 1
    return await adapters.gateways.statuses(seen.namespace, seen.spec.loop_name, expected)


async def _model_keys(adapters: Adapters, seen: RunSeen) -> tuple[tuple[str, str], ...]:
    """The uids of the runs that made the models that serve, so that their versions are found again."""
    made = {m.digest: m.run_name for m in _models(seen) if m.run_name is not None}
    keys: list[tuple[str, str]] = []
    for digest, name in sorted(made.items()):
        run = await _maker(adapters, seen.namespace, name)
        if run is not None:
            keys.append((digest, str(run["metadata"]["uid"])))
    return tuple(keys)


async def _maker(adapters: Adapters, namespace: str, name: str) -> Json | None:
    """The run that made the model: of one that was rolled out again, the first in the row."""
    run = await adapters.kubernetes.get(IMPROVEMENT_RUN, namespace, name)
    for _ in range(_MOST_RETRIES):
        before = run["spec"].get("retryOf") if run is not None else None
        earlier = await adapters.kubernetes.get(IMPROVEMENT_RUN, namespace, before) if before else None
        if earlier is None:
            break
        run = earlier
    return run


def _models(seen: RunSeen) -> list[ModelStatus]:
    pinned, candidate = seen.status.inputs.champion if seen.status.inputs else None, seen.status.candidate
    loop = seen.loop.status if seen.loop else None
    serving = (loop.champion, loop.previous) if loop else ()
    again = candidate if candidate is not None and candidate.run_name != seen.name else None
    return [m for m in (pinned, *serving, again) if m is not None]
