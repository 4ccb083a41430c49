"""A loop goes when its log is stored; what could not be stored stays, and is named."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.kinds import DEPLOYMENT, FEEDBACK_LOOP, STATEFUL_SET, VOLUME_CLAIM
from tests.api.loop.world import LoopWorld, condition, is_ready, stalls
from tests.support.fakeworld import declared

pytestmark = pytest.mark.api
NO_RUNS = {"improvements": []}
CLAIM = "log-bot-gateway-0"


async def test_a_drained_loop_takes_its_children_and_its_volume_with_it(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    assert await world.kubernetes.get(VOLUME_CLAIM, world.namespace, CLAIM)
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.gone(FEEDBACK_LOOP, "bot")
    assert world.gateways.asked_to_drain == {"bot"}
    await world.gone(STATEFUL_SET, "bot-gateway")
    await world.gone(VOLUME_CLAIM, CLAIM)
    assert await world.events("LogDrained")


async def test_the_target_goes_on_serving_what_it_serves(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    before = await world.target()
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.gone(STATEFUL_SET, "bot-gateway")
    after = await world.there(DEPLOYMENT, declared.TARGET)
    assert after["spec"] == before["spec"]


async def test_a_log_that_cannot_be_drained_is_kept_and_named(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    world.gateways.drains = False
    await world.delete(FEEDBACK_LOOP, "bot")
    loop = await world.settle(lambda b: condition(b, "Reconciling").get("reason") == "Deleting")
    assert loop["status"]["stage"] == "Draining"
    await world.gone(FEEDBACK_LOOP, "bot")
    await world.gone(STATEFUL_SET, "bot-gateway")
    claim = await world.there(VOLUME_CLAIM, CLAIM)
    assert "deletionTimestamp" not in claim["metadata"]
    assert any(CLAIM in note for note in await world.events("LogKept"))


async def test_a_loop_of_the_same_name_does_not_read_a_kept_log(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    world.gateways.drains = False
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.gone(STATEFUL_SET, "bot-gateway")
    world.apply(declared.loop(**NO_RUNS))
    loop = await world.settle(stalls("NameConflict"))
    assert CLAIM in condition(loop, "Stalled")["message"]


async def test_a_loop_of_the_same_name_waits_for_the_former_ones_objects(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.gone(FEEDBACK_LOOP, "bot")
    world.gateways.asked_to_drain.clear()
    world.apply(declared.loop(**NO_RUNS))
    await world.settle(is_ready)


async def test_a_loop_that_never_started_goes_at_once(world: LoopWorld) -> None:
    world.apply(declared.loop(**NO_RUNS))
    await world.settle(stalls("TargetNotFound"))
    world.kubectl("delete", "feedbackloops.feedbackloop.dev", "bot", "--timeout=20s")


async def test_a_new_operator_goes_on_with_a_deletion(world: LoopWorld) -> None:
    await world.start(**NO_RUNS)
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.look()
    world.restart()
    await world.gone(FEEDBACK_LOOP, "bot")
