"""Several runs of one loop: one goes, and what becomes of the others is declared."""

from __future__ import annotations

import asyncio

import pytest

from feedbackloop.adapters.kinds import IMPROVEMENT_RUN
from tests.api.run.asking import rolls
from tests.api.run.conftest import Make
from tests.api.run.watching import a_run, condition, over, the_loop, the_run
from tests.support.fakeworld import declared
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.world import World

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]


async def add(world: World, name: str) -> None:
    """Its creation time, in whole seconds, is later than that of the one before."""
    await asyncio.sleep(1.0)
    await world.add(IMPROVEMENT_RUN, declared.run(name))


def loop(policy: str) -> dict[str, object]:
    return declared.loop(rollout=declared.rollout(newRevisionPolicy=policy))


async def test_of_those_that_wait_only_the_newest_is_kept(make: Make) -> None:
    world = await make(loop=loop("Queue"))
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    first = await the_run(world)
    await add(world, "older")
    await life.until(a_run(world, lambda status: "goes first" in status.get("message", "")))
    assert condition(await the_run(world, "older"), "Reconciling") == ("True", "Queued")
    await add(world, "newer")
    await life.until(over(world))
    older, newer = await the_run(world, "older"), await the_run(world, "newer")
    assert (older["status"]["outcome"], condition(older, "Ready")) == ("Skipped", ("True", "RunActive"))
    assert "newer run newer waits already" in older["status"]["message"]
    assert newer["status"]["outcome"] in ("Promoted", "RolledBack", "Inconclusive")
    assert (await the_run(world, first["metadata"]["name"]))["status"]["outcome"] == "Promoted"


async def test_a_newer_run_takes_the_place_of_the_one_that_rolls_out(make: Make) -> None:
    world = await make(loop=loop("Supersede"))
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    first = await the_run(world)
    await add(world, "newer")
    await life.until(over(world))
    gone = await the_run(world, first["metadata"]["name"])
    assert gone["status"]["outcome"] == "Superseded"
    assert gone["status"]["rollout"]["weight"] == 0
    assert (await the_run(world, "newer"))["status"]["outcome"] == "Promoted"
    uids = [epoch.run_uid for epoch in world.state.epochs if epoch.weight]
    assert uids == sorted(uids, key=[gone["metadata"]["uid"], (await the_run(world, "newer"))["metadata"]["uid"]].index)
    (promotion,) = (await the_loop(world))["status"]["promotions"]
    assert promotion["runName"] == "newer"


async def test_a_newer_run_is_refused(make: Make) -> None:
    world = await make(loop=loop("Reject"))
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    first = await the_run(world)
    await add(world, "newer")
    await life.until(over(world))
    newer = await the_run(world, "newer")
    assert (newer["status"]["outcome"], condition(newer, "Ready")) == ("Skipped", ("True", "RunActive"))
    assert "newRevisionPolicy is Reject" in newer["status"]["message"]
    assert (await the_run(world, first["metadata"]["name"]))["status"]["outcome"] == "Promoted"
