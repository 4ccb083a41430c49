"""What keeps a loop from starting is told with its fix, and nothing is made meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.adapters.kinds import CONFIG_MAP, SERVICE, STATEFUL_SET
from tests.api.loop.world import LoopWorld, condition, is_ready, stalls
from tests.support.fakeworld import declared

pytestmark = pytest.mark.api
Json = dict[str, Any]
NO_RUNS: Json = {"improvements": []}


def renamed(**target: Any) -> Json:
    return {"target": {**declared.loop()["spec"]["target"], **target}}


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"storage": {"endpointName": "nowhere"}}, "UnknownEndpoint", ("spec.storage.endpointName", "nowhere", "s3")),
        ({"registry": {"endpointName": "s3"}}, "UnknownEndpoint", ("spec.registry.endpointName", "mlflow")),
        (
            {"improvements": [declared.improvement(profileName="huge")]},
            "UnknownProfile",
            ("spec.improvements[finetune].training.profileName", "huge", "cpu-small"),
        ),
        (renamed(deploymentName="nobody"), "TargetNotFound", ("spec.target.deploymentName", "nobody")),
        (renamed(modelContainer="no"), "TargetContainerNotFound", ("spec.target.modelContainer", "server")),
        (renamed(port="grpc"), "TargetPortNotFound", ("spec.target.port", "grpc")),
    ],
    ids=["storage", "registry", "profile", "target", "container", "port"],
)
async def test_a_wrong_declaration_stalls_with_the_field_and_the_fix_and_makes_nothing(
    world: LoopWorld, changes: Json, reason: str, words: tuple[str, ...]
) -> None:
    spec = declared.loop()["spec"]
    merged = {k: {**spec[k], **v} if isinstance(v, dict) else v for k, v in changes.items()}
    world.apply(declared.target(), declared.loop(**merged))
    loop = await world.settle(stalls(reason))
    assert all(word in condition(loop, "Stalled")["message"] for word in words)
    assert condition(loop, "Ready")["status"] == "False"
    assert "finalizers" not in loop["metadata"]
    for kind in (STATEFUL_SET, CONFIG_MAP):
        assert await world.kubernetes.get(kind, world.namespace, "bot-gateway") is None
    assert (await world.target())["metadata"]["generation"] == 1
    assert await world.events(reason)
    assert await world.writes_of(5) == []


async def test_a_mended_declaration_goes_on_by_itself(world: LoopWorld) -> None:
    world.apply(declared.loop(**NO_RUNS))
    await world.settle(stalls("TargetNotFound"))
    world.apply(declared.target())
    loop = await world.settle(is_ready)
    assert not condition(loop, "Stalled")


async def test_the_older_loop_keeps_its_target_and_the_younger_takes_over_when_it_is_gone(world: LoopWorld) -> None:
    world.apply(declared.target(), declared.loop(**NO_RUNS))
    first = await world.settle(is_ready)
    # Creation times have whole seconds; within one second the uid decides, which a test cannot foresee.
    await world.next_second(first)
    younger = declared.loop(**NO_RUNS)
    younger["metadata"]["name"] = "late"
    world.apply(younger)
    loop = await world.settle(stalls("TargetOwnedByOtherLoop"), "late")
    assert "older loop bot" in condition(loop, "Stalled")["message"]
    assert await world.kubernetes.get(STATEFUL_SET, world.namespace, "late-gateway") is None
    world.kubectl("delete", "feedbackloops.feedbackloop.dev", "bot", "--wait=false")
    await world.settle(is_ready, "late")


async def test_a_service_that_would_reach_canary_pods_stalls_the_loop_before_anything_is_made(world: LoopWorld) -> None:
    target = declared.target()
    target["spec"]["template"]["metadata"]["labels"] = {"app": declared.TARGET, "tier": "web"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "by-tier"},
        "spec": {"selector": {"tier": "web"}, "ports": [{"port": 80}]},
    }
    world.apply(target, service, declared.loop())
    loop = await world.settle(stalls("CanarySelectedByService"))
    assert "by-tier" in condition(loop, "Stalled")["message"]
    assert await world.kubernetes.get(STATEFUL_SET, world.namespace, "bot-gateway") is None
    await world.delete(SERVICE, "by-tier")
    await world.settle(lambda body: not condition(body, "Stalled"))


async def test_an_object_of_somebody_else_under_our_name_is_never_taken(world: LoopWorld) -> None:
    stranger = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "bot-gateway"},
        "data": {"mine": "yes"},
    }
    world.apply(stranger, declared.target(), declared.loop(**NO_RUNS))
    loop = await world.settle(stalls("NameConflict"))
    assert "ConfigMap bot-gateway" in condition(loop, "Stalled")["message"]
    assert (await world.there(CONFIG_MAP, "bot-gateway"))["data"] == {"mine": "yes"}


async def test_observed_generation_never_runs_ahead(world: LoopWorld) -> None:
    loop = await world.start(**NO_RUNS)
    for n in range(3):
        world.apply(declared.loop(**NO_RUNS, suspend=n % 2 == 0))
        before = loop["status"]["observedGeneration"]
        loop = await world.settle(lambda b: b["status"]["observedGeneration"] == b["metadata"]["generation"])
        assert before < loop["status"]["observedGeneration"]
    assert loop["metadata"]["generation"] == 4
