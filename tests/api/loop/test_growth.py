"""A loop that is given more gateway pods: they come first and own sessions afterwards; it cannot shrink."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.adapters.kinds import CONFIG_MAP, POD_DISRUPTION_BUDGET, STATEFUL_SET
from tests.api.loop.test_admission import dry_run
from tests.api.loop.test_start import QUIET
from tests.api.loop.world import LoopWorld, is_ready
from tests.support.fakeworld import declared

pytestmark = pytest.mark.api


def of_pods(replicas: int) -> dict[str, Any]:
    collection = {**declared.loop()["spec"]["collection"], "replicas": replicas}
    return declared.loop(collection=collection, **QUIET)


async def owners(world: LoopWorld) -> int:
    config = await world.kubernetes.get(CONFIG_MAP, world.namespace, "bot-gateway")
    assert config is not None
    return int(json.loads(config["data"]["config.json"])["collection"].get("replicas", 1))


async def test_a_loop_grows_in_two_steps_and_then_rests(world: LoopWorld) -> None:
    await world.start(**QUIET)
    assert await world.kubernetes.get(POD_DISRUPTION_BUDGET, world.namespace, "bot-gateway") is None
    world.apply(of_pods(2))
    await world.look()
    pods = await world.kubernetes.get(STATEFUL_SET, world.namespace, "bot-gateway")
    assert pods is not None
    assert pods["spec"]["replicas"] == 2
    assert await owners(world) == 1, "the new pod is not ready yet"
    await world.settle(is_ready)
    await world.look()
    assert await owners(world) == 2
    assert await world.kubernetes.get(POD_DISRUPTION_BUDGET, world.namespace, "bot-gateway") is not None
    await world.settle(is_ready)
    await world.look()
    assert await world.writes_of(20) == []


async def test_a_loop_does_not_shrink(world: LoopWorld) -> None:
    world.apply(declared.target(), of_pods(3))
    refused = dry_run(world.server, world.namespace, of_pods(2))
    assert "replicas: can grow but not shrink" in refused
