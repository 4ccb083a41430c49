"""Observations of a loop, as tables and Hypothesis make them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, Model, ModelStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus, LogPosition
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunInputs, RunOutcome
from feedbackloop.api.rolloutstatus import AbortStatus, RolloutStatus
from feedbackloop.domain.lifecycle.loop import decide, planned_for
from feedbackloop.domain.lifecycle.loop_effects import Apply, Decision
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopFacts, LoopObservation, PodsSeen, RunSeen
from feedbackloop.domain.rfc3339 import stamp
from tests.support import loops

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ADMIN = loops.admin()
BASE, CANDIDATE = Model(**loops.BASE), Model(**loops.CANDIDATE)
OTHER = Model(uri="s3://models/other/", digest="sha256:" + "e" * 64)


def role(model: Model, since: datetime = NOW - timedelta(days=1), run_name: str | None = None) -> ModelStatus:
    short = model.digest[7:19]
    return ModelStatus(uri=model.uri, digest=model.digest, short=short, since=stamp(since), run_name=run_name)


def fresh(**changes: Any) -> LoopObservation:
    """A loop that was just applied, beside its target."""
    facts = LoopFacts(
        ref=loops.LOOP,
        generation=1,
        created="2026-01-01T00:00:00Z",
        spec=loops.spec(**changes),
        spec_error="",
        status=FeedbackLoopStatus(),
        has_finalizer=False,
    )
    return LoopObservation(facts, target=loops.target())


def with_status(seen: LoopObservation, status: FeedbackLoopStatus) -> LoopObservation:
    return replace(seen, loop=replace(seen.loop, status=status))


def carried_out(seen: LoopObservation, decision: Decision) -> LoopObservation:
    """The world in which everything that was decided has been done, and the pods are ready with it."""
    children = dict(seen.children)
    target = seen.target
    for effect in decision.effects:
        if isinstance(effect, Apply) and effect.force:
            body = effect.body
            children[Child(body["kind"], body["metadata"]["name"])] = running(body)
        elif isinstance(effect, Apply):
            assert target is not None
            target = adopted(target, effect.body)
    loop = replace(seen.loop, status=decision.status, has_finalizer=decision.finalizer)
    moved = replace(seen, loop=loop, children=children, target=target)
    champion = decision.status.champion
    digests = frozenset({champion.digest}) if champion else frozenset()
    return replace(moved, target_pods=PodsSeen(2, 2, digests), gateways=gateways_of(moved))


def running(body: dict[str, Any]) -> dict[str, Any]:
    if body["kind"] != "StatefulSet":
        return body
    return {**body, "status": {"readyReplicas": body["spec"]["replicas"]}}


def adopted(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The patch in place of the pod's own fields: enough for what reads it."""
    pod = target["spec"]["template"]["spec"]
    ours = patch["spec"]["template"]["spec"]
    server = {**pod["containers"][0], **ours["containers"][0]}
    spec = {**pod, **ours, "containers": [server]}
    return {**target, "spec": {**target["spec"], "template": {**target["spec"]["template"], "spec": spec}}}


def gateways_of(seen: LoopObservation, trainable: int = 0, **changes: Any) -> tuple[GatewayStatus, ...]:
    """A gateway that has applied what it was told."""
    planned = planned_for(seen, ADMIN, NOW)
    assert planned is not None
    position = LogPosition(offset=trainable, trainable=trainable)
    told = {"revision": planned.revision, "run_uid": planned.routing.run_uid, "epoch": planned.routing.epoch}
    pod = GatewayStatus(pod="support-bot-gateway-0", appended=position, uploaded=position, stored=trainable, **told)
    return (pod.model_copy(update=changes),)


def settled(seen: LoopObservation | None = None) -> LoopObservation:
    """A loop at rest."""
    seen = seen or fresh()
    for _ in range(4):
        seen = carried_out(seen, decide(seen, ADMIN, NOW))
    return seen


def run(name: str = "support-bot-finetune-1", **status: Any) -> RunSeen:
    """A run of the loop that has pinned its inputs."""
    cut = (PodOffset(pod="support-bot-gateway-0", offset=50, trainable=50),)
    inputs = RunInputs(
        loop_uid=loops.LOOP.uid, champion=role(BASE), cut=cut, pinned_spec=loops.spec().model_dump_json(by_alias=True)
    )
    full = {"inputs": inputs, "candidate": role(CANDIDATE), **status}
    return RunSeen(name, f"uid-{name}", "2026-01-01T01:00:00Z", "finetune", ImprovementRunStatus(**full))


def rollout(**changes: Any) -> RolloutStatus:
    return RolloutStatus(started_at=stamp(NOW), salt="s", **changes)


def during(seen: LoopObservation, active: RunSeen) -> LoopObservation:
    """The same loop with this run."""
    over = active.status.outcome is not None
    return replace(seen, runs=(active,), active=None if over else active)


times = st.integers(-3, 3).map(lambda n: stamp(NOW + timedelta(minutes=n)))
models = st.sampled_from([BASE, CANDIDATE, OTHER])
roles = st.builds(role, models, run_name=st.sampled_from([None, "r1", "r2"]))
offsets = st.lists(
    st.builds(PodOffset, pod=st.sampled_from("abc"), offset=st.integers(0, 99), trainable=st.integers(0, 99)),
    unique_by=lambda o: o.pod,
    max_size=3,
).map(tuple)
rollouts = st.builds(
    rollout,
    weight=st.sampled_from([0, 10, 50, 100]),
    canary_replicas=st.integers(0, 3),
    epoch=st.integers(0, 5),
    promoting_since=st.none() | times,
    abort=st.none() | st.builds(AbortStatus, at=times, reason=st.just("HarmFound")),
)
run_statuses = st.builds(
    dict,
    rollout=st.none() | rollouts,
    outcome=st.none() | st.sampled_from(list(RunOutcome)),
    finished_at=times,
)


@st.composite
def observations(draw: st.DrawFn) -> LoopObservation:
    """Any mixture of what may be seen of a loop that has started."""
    seen = settled()
    status = seen.loop.status.model_copy(
        update={
            "champion": draw(st.none() | roles),
            "previous": draw(st.none() | roles),
            "declared_model": draw(st.none() | roles),
            "consumed": draw(offsets),
            "active_run_name": draw(st.sampled_from([None, "r1", "r2"])),
            "active_run_uid": draw(st.sampled_from([None, "uid-r1", "uid-gone"])),
        }
    )
    runs = tuple(run(name, **draw(run_statuses)) for name in draw(st.lists(st.sampled_from(["r1", "r2"]), unique=True)))
    active = next((r for r in runs if r.status.outcome is None), None)
    mixed = replace(with_status(seen, status), runs=runs, active=active)
    pods = PodsSeen(
        draw(st.integers(0, 3)), draw(st.integers(0, 3)), frozenset(draw(st.sets(st.none() | models_digests)))
    )
    answered = draw(st.booleans())
    trainable = draw(st.integers(0, 100))
    changes = {"drained": draw(st.booleans()), "storage_error": draw(st.sampled_from([None, "ClientError"]))}
    gateways = gateways_of(mixed, trainable, **changes) if answered else None
    return replace(mixed, target_pods=pods, gateways=gateways, target=draw(st.sampled_from([seen.target, None])))


models_digests = models.map(lambda m: m.digest)
