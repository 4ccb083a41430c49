"""S3, MLflow, the gateway or the API server away for a minute at each stage: the loop waits, says so, and goes on."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.kinds import FEEDBACK_LOOP
from tests.api.crash.lives import AT_A_TIME, facts, over
from tests.support.apiserver import ApiServer
from tests.support.fakeworld import declared, scene
from tests.support.fakeworld.drive import Condition, Life
from tests.support.fakeworld.jobs import Ending
from tests.support.fakeworld.mirror import Mirror, mirrored
from tests.support.fakeworld.world import Story, World

pytestmark = [pytest.mark.api, pytest.mark.timeout(900)]
SLOW = Story(script={(stage, 1): Ending(seconds=20) for stage in ("curate", "train", "evaluate")})
MINUTE = timedelta(seconds=60)
Json = dict[str, Any]
Seen = Callable[[Json], bool]


def at_stage(stage: str) -> Seen:
    return lambda run: run["status"].get("stage") == stage


def at_weight(weight: int) -> Seen:
    return lambda run: (run["status"].get("rollout") or {}).get("weight") == weight


MOMENTS: dict[str, Seen | None] = {
    "from the beginning": None,
    "while it curates": at_stage("Curating"),
    "while it trains": at_stage("Training"),
    "while it evaluates": at_stage("Evaluating"),
    "at the first step": at_weight(10),
    "while it decides": at_weight(50),
    "while it bakes": at_weight(100),
}
SAID = {
    ("mlflow", "from the beginning"): ("ImprovementRun", "RegistryReachable", "RegistryUnavailable"),
    ("mlflow", "while it evaluates"): ("ImprovementRun", "RegistryReachable", "RegistryUnavailable"),
    ("mlflow", "while it bakes"): ("ImprovementRun", "RegistryReachable", "RegistryUnavailable"),
    ("s3", "while it curates"): ("ImprovementRun", "StorageReachable", "StorageUnavailable"),
    ("s3", "while it trains"): ("ImprovementRun", "StorageReachable", "StorageUnavailable"),
    ("s3", "while it evaluates"): ("ImprovementRun", "StorageReachable", "StorageUnavailable"),
    ("gateways", "from the beginning"): ("FeedbackLoop", "CollectionReady", "GatewayUnavailable"),
    ("gateways", "at the first step"): ("ImprovementRun", "MetricsAvailable", "GatewayUnavailable"),
    ("gateways", "while it decides"): ("ImprovementRun", "MetricsAvailable", "GatewayUnavailable"),
    ("gateways", "while it bakes"): ("ImprovementRun", "MetricsAvailable", "GatewayUnavailable"),
}
"""What the conditions say while a service is away that is needed then; the rest goes on without it."""


@pytest.mark.parametrize("service", ["s3", "mlflow", "gateways", "kubernetes"])
async def test_a_service_may_be_away_for_a_minute(server: ApiServer, service: str) -> None:
    """At each moment, in a loop of its own; side by side, as each waits for the server half of its time."""
    slots = asyncio.Semaphore(AT_A_TIME)
    async with scene.connection(str(server.kubeconfig)) as connection, mirrored(connection) as mirror:

        async def one(moment: str) -> str:
            async with slots:
                try:
                    await live_through(connection, mirror, service, moment)
                except Exception as error:  # told with its moment, beside the others
                    return f"{moment}: {type(error).__name__}: {error}"
                return ""

        told = [text for text in await asyncio.gather(*map(one, MOMENTS)) if text]
    assert not told, "\n".join(told)


async def live_through(connection: Connection, mirror: Mirror, service: str, moment: str) -> None:
    namespace = f"away-{uuid.uuid4().hex[:8]}"
    await scene.begin(connection, namespace, mirror=mirror)
    world = scene.new_world(connection, namespace, SLOW, mirror=mirror)
    life = Life(world)
    if (seen := MOMENTS[moment]) is not None:
        await life.until(a_run(world, seen))
    await away_for_a_minute(world, life, service, SAID.get((service, moment)))
    await life.until(over(world))
    await check_the_end(world)
    await scene.leave(connection, namespace)


async def away_for_a_minute(world: World, life: Life, service: str, said: tuple[str, str, str] | None) -> None:
    world.state.away.append(service)
    until = world.clock.now() + MINUTE
    told: set[tuple[str, str, str]] = set()

    async def a_minute_has_passed() -> bool:
        told.update(await false_conditions(world))
        return world.clock.now() >= until

    await life.until(a_minute_has_passed)
    world.state.away.remove(service)
    assert said is None or said in told, f"{said} was not said, but {sorted(told)}"


async def false_conditions(world: World) -> set[tuple[str, str, str]]:
    """Kind, type and reason."""
    loop = await world.kubernetes.get(FEEDBACK_LOOP, world.namespace, declared.LOOP)
    bodies = [*([loop] if loop else []), *await scene.runs(world.kubernetes, world.namespace)]
    return {
        (body["kind"], c["type"], c["reason"])
        for body in bodies
        for c in body.get("status", {}).get("conditions") or []
        if c["status"] != "True"
    }


async def check_the_end(world: World) -> None:
    (run,) = await scene.runs(world.kubernetes, world.namespace)
    assert run["status"]["outcome"] == "Promoted", run["status"]["message"]
    assert [(s["attempt"], s["state"]) for s in run["status"]["stages"]] == [(1, "Succeeded")] * 3
    found = facts(world)
    assert found["mlflow runs"] == ["FINISHED"]
    assert found["aliases"] == {"support-bot": {"champion": "2", "previous": "1"}}
    assert [made for _, _, made in found["jobs made"]] == [1, 1, 1]
    assert not {c for c in await false_conditions(world) if c[1].endswith("Reachable")}


def a_run(world: World, seen: Seen) -> Condition:
    async def found() -> bool:
        return any(seen(run) for run in await scene.runs(world.kubernetes, world.namespace) if "status" in run)

    return found
