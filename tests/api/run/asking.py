"""People who ask things of runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from feedbackloop.adapters.kinds import ROLLOUT_ACTION
from tests.support.fakeworld import declared
from tests.support.fakeworld.drive import Condition
from tests.support.fakeworld.world import World

Json = dict[str, Any]
_NUMBERS = itertools.count(1)


async def ask(world: World, run: Json, what: str, **spec: Any) -> str:
    """Somebody creates an action; its name."""
    name = f"{what.lower()}-{next(_NUMBERS)}"
    await world.add(ROLLOUT_ACTION, declared.action(run["metadata"]["name"], what, name, **spec))
    return name


async def the_action(world: World, name: str) -> Json:
    found = await world.kubernetes.get(ROLLOUT_ACTION, world.namespace, name)
    assert found is not None
    return found


async def result(world: World, name: str) -> str | None:
    status = (await the_action(world, name)).get("status", {})
    said: str | None = status.get("result")
    return said


def answered(world: World, name: str) -> Condition:
    async def has_a_result() -> bool:
        return await result(world, name) is not None

    return has_a_result


def rolls(seen: Callable[[Json], bool]) -> Callable[[Json], bool]:
    """A run's status whose rollout is so."""
    return lambda status: bool(status.get("rollout")) and seen(status["rollout"])
