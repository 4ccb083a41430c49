"""Conditions to wait for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from feedbackloop.adapters.kinds import FEEDBACK_LOOP, IMPROVEMENT_RUN
from tests.support.fakeworld import declared, scene
from tests.support.fakeworld.drive import Condition
from tests.support.fakeworld.world import World

Json = dict[str, Any]


def over(world: World) -> Condition:
    async def all_settled() -> bool:
        found = await scene.runs(world.kubernetes, world.namespace)
        return bool(found) and all(scene.settled(run) for run in found)

    return all_settled


def a_run(world: World, seen: Callable[[Json], bool]) -> Condition:
    """Some run's status is so."""

    async def found() -> bool:
        return any(seen(r["status"]) for r in await scene.runs(world.kubernetes, world.namespace) if "status" in r)

    return found


def after(world: World, seconds: float) -> Condition:
    """That much time of the test's clock has passed."""
    until = world.clock.now() + timedelta(seconds=seconds)

    async def passed() -> bool:
        return world.clock.now() >= until

    return passed


async def the_run(world: World, name: str | None = None) -> Json:
    runs = await scene.runs(world.kubernetes, world.namespace)
    return next(r for r in runs if name in (None, r["metadata"]["name"]))


async def the_loop(world: World) -> Json:
    found = await world.kubernetes.get(FEEDBACK_LOOP, world.namespace, declared.LOOP)
    assert found is not None
    return found


def condition(body: Json, type_: str) -> tuple[str, str] | None:
    """Status and reason."""
    found = (c for c in body["status"].get("conditions") or [] if c["type"] == type_)
    return next(((c["status"], c["reason"]) for c in found), None)


def stage(run: Json, name: str) -> Json:
    found: Json = next(s for s in run["status"]["stages"] if s["name"] == name)
    return found


RUN = IMPROVEMENT_RUN
