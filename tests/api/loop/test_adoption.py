"""The target belongs to its team: we own four things of it, and nobody fights."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from feedbackloop.adapters.kinds import STATEFUL_SET
from tests.api.loop.world import LoopWorld, condition, is_ready, stalls
from tests.support.fakeworld import declared

pytestmark = pytest.mark.api
Json = dict[str, Any]
NO_RUNS: Json = {"improvements": []}


def with_env(name: str, value: str) -> Json:
    target = declared.target()
    target["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": name, "value": value}]
    return target


async def test_a_field_that_somebody_owns_already_stalls_before_anything_is_made(world: LoopWorld) -> None:
    world.apply(with_env("MODEL_DIGEST", "theirs"), declared.loop(**NO_RUNS))
    loop = await world.settle(stalls("FieldManagerConflict"))
    message = condition(loop, "Stalled")["message"]
    assert "kubectl" in message
    assert "MODEL_DIGEST" in message
    assert condition(loop, "TargetAdopted") == {}
    assert await world.kubernetes.get(STATEFUL_SET, world.namespace, "bot-gateway") is None
    assert (await world.target())["metadata"]["generation"] == 1


async def test_a_conflict_that_is_resolved_lets_the_loop_go_on(world: LoopWorld) -> None:
    world.apply(with_env("MODEL_DIGEST", "theirs"), declared.loop(**NO_RUNS))
    await world.settle(stalls("FieldManagerConflict"))
    world.apply(declared.target())
    await world.settle(is_ready)


@pytest.mark.parametrize(
    "options",
    [(), ("--server-side", "--force-conflicts", "--field-manager=gitops")],
    ids=["client-side", "server-side"],
)
async def test_a_pipeline_that_applies_the_original_again_and_again_changes_nothing(
    world: LoopWorld, options: tuple[str, ...]
) -> None:
    await world.start(**NO_RUNS)
    spec = (await world.target())["spec"]
    world.kubectl("apply", *options, "-f", "-", stdin=declared.target())
    generation = (await world.target())["metadata"]["generation"]
    for _ in range(5):
        world.kubectl("apply", *options, "-f", "-", stdin=declared.target())
        assert await world.writes_of(1) == []
    target = await world.target()
    assert target["metadata"]["generation"] == generation
    assert target["spec"] == spec


async def test_a_loop_that_is_established_says_when_its_field_is_taken_and_keeps_its_routes(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    world.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--field-manager=rival", "-f", "-"),
        stdin=with_env("MODEL_DIGEST", "theirs"),
    )
    loop = await world.settle(stalls("FieldManagerConflict"))
    assert "rival" in condition(loop, "Stalled")["message"]
    assert condition(loop, "TargetAdopted")["status"] == "False"
    assert await world.kubernetes.get(STATEFUL_SET, world.namespace, "bot-gateway")
    generation = (await world.target())["metadata"]["generation"]
    assert await world.writes_of(5) == []
    assert (await world.target())["metadata"]["generation"] == generation


async def test_a_target_that_is_made_anew_is_adopted_anew(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    world.kubectl("delete", "deployment", declared.TARGET, "--wait=true")
    await world.settle(stalls("TargetNotFound"))
    world.apply(declared.target())
    await world.settle(is_ready)


async def test_another_declared_model_becomes_champion_at_once(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    other = {"uri": "s3://models/other/", "digest": "sha256:" + "e" * 64}
    world.apply(declared.loop(**NO_RUNS, target={**declared.loop()["spec"]["target"], "model": other}))
    loop = await world.settle(lambda b: is_ready(b) and b["status"]["champion"]["digest"] == other["digest"])
    assert loop["status"]["previous"]["digest"] == declared.BASE["digest"]
    env = (await world.target())["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {e["name"]: e["value"] for e in env}["MODEL_DIGEST"] == other["digest"]
    assert any("champion is now" in note for note in await world.events("Promoted"))


async def test_an_autoscaler_is_never_overruled(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    world.kubectl("scale", "deployment", declared.TARGET, "--replicas=3")
    await asyncio.sleep(0)
    await world.settle(is_ready)
    assert (await world.target())["spec"]["replicas"] == 3
