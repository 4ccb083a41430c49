"""A loop that is applied becomes ready, and then rests."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    FEEDBACK_LOOP,
    NETWORK_POLICY,
    ROLE,
    SERVICE,
    STATEFUL_SET,
)
from feedbackloop.api import FINALIZER
from tests.api.loop.world import LoopWorld, condition
from tests.support.fakeworld import declared

pytestmark = pytest.mark.api

# Signals are below the trigger: no run starts by itself.
QUIET = {"improvements": [{**declared.improvement(), "trigger": {"minNewSignals": 1_000_000}}]}


async def test_a_loop_becomes_ready_with_its_target_adopted_and_its_gateway_there(world: LoopWorld) -> None:
    loop = await world.start(**QUIET)
    assert loop["metadata"]["finalizers"] == [FINALIZER]
    assert loop["status"]["observedGeneration"] == loop["metadata"]["generation"]
    assert loop["status"]["champion"]["digest"] == declared.BASE["digest"]
    assert condition(loop, "TargetAdopted")["reason"] == "Adopted"
    assert condition(loop, "CollectionReady")["reason"] == "Collecting"
    assert condition(loop, "StorageReachable")["status"] == "True"
    assert not condition(loop, "Stalled")
    assert not condition(loop, "Reconciling")
    for kind in (STATEFUL_SET, CONFIG_MAP, ROLE, NETWORK_POLICY, SERVICE):
        assert await world.kubernetes.get(kind, world.namespace, "bot-gateway")
    assert await world.kubernetes.get(DEPLOYMENT, world.namespace, "bot-canary") is None


async def test_a_loop_at_rest_writes_nothing(world: LoopWorld) -> None:
    await world.start(**QUIET)
    await world.look()
    assert await world.writes_of(100) == []


async def test_a_new_operator_finds_everything_as_it_should_be_and_writes_nothing(world: LoopWorld) -> None:
    await world.start(**QUIET)
    await world.look()
    world.restart()
    assert await world.writes_of(3) == []


async def test_adoption_restarts_the_target_once_and_says_so(world: LoopWorld) -> None:
    await world.start(**QUIET)
    target = await world.target()
    assert target["metadata"]["generation"] == 2
    assert len([n for n in await world.events("Adopting") if "restart once" in n]) == 1


async def test_counts_alone_are_written_once_a_minute(world: LoopWorld) -> None:
    await world.start(**QUIET)
    await world.look()
    world.gateways.position = world.gateways.position.model_copy(update={"offset": 900})
    assert await world.writes_of(20) == []
    world.clock.advance(60)
    assert await world.writes_of(2) == [("apply", "feedbackloops.feedbackloop.dev/status", "200")]
    assert (await world.status()).counters.accepted == 900


async def test_drift_of_a_child_is_mended(world: LoopWorld) -> None:
    await world.start(**QUIET)
    world.kubectl("patch", "service", "bot-stable", "--type=merge", '-p={"spec":{"selector":{"app":"other"}}}')
    world.kubectl("delete", "configmap", "bot-gateway")
    await world.look()
    assert (await world.there(SERVICE, "bot-stable"))["spec"]["selector"]["app"] == declared.TARGET
    assert await world.kubernetes.get(CONFIG_MAP, world.namespace, "bot-gateway")


async def test_a_field_that_we_no_longer_want_is_taken_away(world: LoopWorld) -> None:
    await world.start(**QUIET)
    renamed = declared.loop(**QUIET)
    renamed["spec"]["collection"]["appTokenSecretName"] = "other-token"
    world.apply(renamed)
    await world.look()
    pod = (await world.there(STATEFUL_SET, "bot-gateway"))["spec"]["template"]["spec"]
    assert [v["secret"]["secretName"] for v in pod["volumes"] if v["name"] == "app"] == ["other-token"]


async def test_a_deleted_loop_is_forgotten(world: LoopWorld) -> None:
    assert await world.look("never-there") is None
    assert await world.kubernetes.list(FEEDBACK_LOOP, world.namespace) == []
