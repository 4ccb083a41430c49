"""The loop starts runs, keeps their books, and does what an active run's rollout intends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.adapters.kinds import CONFIG_MAP, DEPLOYMENT, IMPROVEMENT_RUN
from feedbackloop.api.gateway import GatewayConfig
from tests.api.loop.world import LoopWorld, is_ready
from tests.support.fakeworld import declared
from tests.support.fakeworld.jobs import CANDIDATE

pytestmark = pytest.mark.api
Json = dict[str, Any]


async def started(world: LoopWorld) -> Json:
    """A loop whose first run has been created."""
    await world.start()
    loop = await world.settle(lambda b: bool(b["status"].get("activeRunUid")))
    (run,) = await world.runs()
    assert loop["status"]["activeRunName"] == run["metadata"]["name"]
    return run


def inputs(loop: Json, run: Json) -> Json:
    """What the run controller pins."""
    return {
        "loopUid": loop["metadata"]["uid"],
        "champion": loop["status"]["champion"],
        "cut": json.loads(run["metadata"]["annotations"]["feedbackloop.dev/cut"]),
        "pinnedSpec": json.dumps(loop["spec"]),
    }


def rollout(**changes: Any) -> Json:
    return {"startedAt": "2026-01-01T00:00:00Z", "salt": "s", **changes}


async def set_rollout(world: LoopWorld, run: Json, **changes: Any) -> None:
    loop = await world.loop()
    known = (await world.there(IMPROVEMENT_RUN, run["metadata"]["name"])).get("status", {})
    status = {
        "inputs": known.get("inputs") or inputs(loop, run),
        "candidate": CANDIDATE.to_wire(),
        "rollout": {**rollout(), **known.get("rollout", {}), **changes},
    }
    await world.set_run_status(run["metadata"]["name"], status)


async def config(world: LoopWorld) -> GatewayConfig:
    body = await world.there(CONFIG_MAP, "bot-gateway")
    return GatewayConfig.model_validate_json(body["data"]["config.json"])


async def test_enough_new_signals_start_one_run_with_its_cut(world: LoopWorld) -> None:
    run = await started(world)
    assert run["spec"] == {"loopName": "bot", "improvementName": "finetune"}
    cut = json.loads(run["metadata"]["annotations"]["feedbackloop.dev/cut"])
    assert cut == [{"pod": "bot-gateway-0", "offset": 400, "trainable": 120}]
    (owner,) = run["metadata"]["ownerReferences"]
    assert owner["uid"] == (await world.loop())["metadata"]["uid"]
    for _ in range(3):
        world.clock.advance(10)
        await world.look()
    assert len(await world.runs()) == 1
    assert any("120 new signals" in note for note in await world.events("Progressing"))


async def test_a_suspended_loop_collects_and_starts_nothing(world: LoopWorld) -> None:
    loop = await world.start(suspend=True)
    await world.look()
    assert await world.runs() == []
    assert loop["status"]["stage"] == "Suspended"


async def test_the_end_of_a_run_is_remembered_and_its_signals_are_consumed(world: LoopWorld) -> None:
    run = await started(world)
    finished = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    await world.set_run_status(
        run["metadata"]["name"],
        {"inputs": inputs(await world.loop(), run), "outcome": "Gated", "finishedAt": finished, "message": "no"},
    )
    loop = await world.settle(lambda b: bool(b["status"].get("runs")))
    status = loop["status"]
    assert (status["runs"][0]["name"], status["runs"][0]["outcome"]) == (run["metadata"]["name"], "Gated")
    assert status["consumed"][0]["trainable"] == 120
    assert "activeRunName" not in status
    world.gateways.position = world.gateways.position.model_copy(update={"trainable": 500})
    world.clock.advance(600)
    await world.look()
    assert len(await world.runs()) == 1, "the cooldown is not over"
    world.clock.advance(86_400)
    await world.look()
    assert len(await world.runs()) == 2


async def test_a_run_that_somebody_deletes_is_not_started_again_at_once(world: LoopWorld) -> None:
    run = await started(world)
    await world.delete(IMPROVEMENT_RUN, run["metadata"]["name"])
    loop = await world.settle(lambda b: bool(b["status"].get("runs")))
    assert "deleted" in loop["status"]["runs"][0]["message"]
    await world.look()
    assert await world.runs() == []


async def test_a_rollouts_intents_reach_routes_and_canary(world: LoopWorld) -> None:
    run = await started(world)
    await set_rollout(world, run, canaryReplicas=1)
    await world.look()
    canary = await world.there(DEPLOYMENT, "bot-canary")
    assert canary["spec"]["replicas"] == 1
    assert (await config(world)).routing.canary is None
    await set_rollout(world, run, canaryReplicas=1, weight=10, epoch=1)
    await world.look()
    routing = (await config(world)).routing
    assert (routing.weight, routing.epoch, routing.run_uid) == (10, 1, run["metadata"]["uid"])
    assert routing.canary is not None
    assert routing.canary.digest == CANDIDATE.digest
    status = await world.status()
    assert (status.weight, status.candidate.digest if status.candidate else "") == (10, CANDIDATE.digest)
    await world.look()  # the gateway has applied it, which is told too
    assert await world.writes_of(3) == []


async def test_a_promotion_makes_the_candidate_champion_and_updates_the_target(world: LoopWorld) -> None:
    run = await started(world)
    now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.clock.advance(30)
    later = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    await set_rollout(world, run, canaryReplicas=2, weight=100, epoch=3, bakingSince=now, promotingSince=later)
    loop = await world.settle(
        lambda b: is_ready(b) and b["status"]["champion"]["digest"] == CANDIDATE.digest,
    )
    assert loop["status"]["champion"]["runName"] == run["metadata"]["name"]
    assert loop["status"]["previous"]["digest"] == declared.BASE["digest"]
    env = (await world.target())["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {e["name"]: e["value"] for e in env}["MODEL_DIGEST"] == CANDIDATE.digest


async def test_a_promotion_that_is_taken_back_restores_the_champion_even_after_the_run_is_over(
    world: LoopWorld,
) -> None:
    run = await started(world)
    world.clock.advance(30)
    later = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    await set_rollout(world, run, canaryReplicas=2, weight=100, epoch=3, promotingSince=later)
    await world.settle(lambda b: b["status"]["champion"]["digest"] == CANDIDATE.digest)
    await set_rollout(world, run, weight=0, epoch=4, abort={"at": later, "reason": "GuardrailFailed"})
    await world.set_run_status(run["metadata"]["name"], {"outcome": "RolledBack", "finishedAt": later})
    loop = await world.settle(lambda b: b["status"]["champion"]["digest"] == declared.BASE["digest"])
    assert "previous" not in loop["status"]
    assert loop["status"]["runs"][0]["outcome"] == "RolledBack"


async def test_the_canary_goes_with_the_rollout(world: LoopWorld) -> None:
    run = await started(world)
    await set_rollout(world, run, canaryReplicas=1, weight=10, epoch=1)
    await world.look()
    await world.set_run_status(run["metadata"]["name"], {"outcome": "RolledBack", "finishedAt": "2026-01-02T00:00:00Z"})
    await world.gone(DEPLOYMENT, "bot-canary")
    assert (await config(world)).routing.weight == 0


async def test_an_obstacle_that_appears_during_a_rollout_does_not_hold_up_the_way_back(world: LoopWorld) -> None:
    run = await started(world)
    await set_rollout(world, run, canaryReplicas=1, weight=10, epoch=1)
    await world.look()
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nosy"},
        "spec": {"selector": {"feedbackloop.dev/arm": "canary"}, "ports": [{"port": 80}]},
    }
    world.apply(service)
    await set_rollout(world, run, weight=0, epoch=2, abort={"at": "2026-01-01T00:00:00Z", "reason": "HarmFound"})
    await world.look()
    assert (await config(world)).routing.weight == 0
