"""After a promotion: late votes are watched, and the loop remembers what its runs have decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from feedbackloop.api.gateway import Arm, GatewayStatus, UnitCounts
from tests.api.run.conftest import Make
from tests.api.run.watching import a_run, after, condition, over, the_loop, the_run
from tests.support.fakeworld import declared
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.world import World

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
HOUR = 3600
Statuses = Callable[[str, str, int], Awaitable[tuple[GatewayStatus, ...] | None]]


def late_votes(world: World, run_uid: str, epoch: int, unhappy: dict[Arm, int]) -> None:
    """From now on the gateway has counted 600 more sessions of each arm, so many of them unhappy."""
    statuses: Statuses = world.gateways.statuses

    async def later(namespace: str, loop: str, expected: int) -> tuple[GatewayStatus, ...] | None:
        found = await statuses(namespace, loop, expected)
        return None if found is None else tuple(g.model_copy(update={"units": _more(g.units)}) for g in found)

    def _more(units: tuple[UnitCounts, ...]) -> tuple[UnitCounts, ...]:
        return tuple(_late(u) if (u.run_uid, u.epoch) == (run_uid, epoch) else u for u in units)

    def _late(u: UnitCounts) -> UnitCounts:
        more = {"units": u.units + 600, "rated": u.rated + 600, "events": u.events + unhappy[u.arm]}
        return u.model_copy(update=more)

    world.gateways.statuses = later  # type: ignore[method-assign]


async def promoted(world: World, life: Life) -> tuple[str, int]:
    """The run's UID and its epoch with half of the traffic on each arm."""
    await life.until(over(world))
    run = await the_run(world)
    assert run["status"]["outcome"] == "Promoted"
    epoch = next(e["epoch"] for e in run["status"]["rollout"]["epochs"] if e["weight"] == 50)
    return run["metadata"]["uid"], epoch


async def test_harm_in_late_votes_is_told_with_the_way_back(make: Make) -> None:
    world = await make(loop=declared.loop(rollout=declared.rollout(watchSeconds=2 * HOUR)))
    life = Life(world)
    uid, epoch = await promoted(world, life)
    assert condition(await the_loop(world), "Regressed") == ("False", "CollectingEvidence")
    late_votes(world, uid, epoch, {Arm.STABLE: 60, Arm.CANARY: 500})
    await life.until(a_run(world, lambda s: any(o["verdict"] == "Failed" for o in s["rollout"]["outcomes"])))
    loop, run = await the_loop(world), await the_run(world)
    assert condition(loop, "Regressed") == ("True", "LateHarm")
    (promotion,) = loop["status"]["promotions"]
    assert promotion["regressedAt"]
    message = next(c["message"] for c in loop["status"]["conditions"] if c["type"] == "Regressed")
    back = f"feedbackloop rollback bot -n {world.namespace} --to {declared.BASE['digest']} --apply"
    assert message.endswith(back)
    assert "harm e-value" in message
    assert run["status"]["outcome"] == "Promoted", "nothing is taken back by itself"
    told = sorted(what.split("/")[0] for what in life.kubernetes.writes if what.startswith("event LateHarm"))
    assert told == ["event LateHarm FeedbackLoop", "event LateHarm ImprovementRun"]
    written = life.kubernetes.count
    await life.until(after(world, 3 * HOUR))
    assert life.kubernetes.writes[written:] == []


async def test_a_watch_that_finds_nothing_ends_and_leaves_no_condition(make: Make) -> None:
    world = await make(loop=declared.loop(rollout=declared.rollout(watchSeconds=HOUR)))
    life = Life(world)
    uid, epoch = await promoted(world, life)
    late_votes(world, uid, epoch, {Arm.STABLE: 180, Arm.CANARY: 180})
    looks = len((await the_run(world))["status"]["rollout"]["looks"])
    await life.until(after(world, 2 * HOUR))
    assert len((await the_run(world))["status"]["rollout"]["looks"]) > looks
    assert condition(await the_loop(world), "Regressed") is None
    written = life.kubernetes.count
    await life.until(after(world, 2 * HOUR))
    assert life.kubernetes.writes[written:] == []


async def test_the_loop_remembers_promotions_suites_and_its_lifetime(make: Make) -> None:
    world = await make(loop=declared.loop(rollout=declared.rollout(lifetime={"alpha": "0.3"})))
    life = Life(world)
    await promoted(world, life)
    status = (await the_loop(world))["status"]
    assert (status["lifetime"]["decisions"], status["lifetime"]["promotions"]) == (1, 1)
    golden = next(s for s in status["suites"] if s["suite"] == "golden")
    assert (golden["digest"], golden["looks"]) == ("sha256:" + "9" * 64, 1)
    assert condition(await the_loop(world), "SuitesFresh") == ("True", "Fresh")
    (plan,) = (await the_run(world))["status"]["rollout"]["plan"]
    assert plan["outcome"] == "downvotes"
    await life.until(after(world, HOUR))
    assert (await the_loop(world))["status"]["lifetime"] == status["lifetime"]
