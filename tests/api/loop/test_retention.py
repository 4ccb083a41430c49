"""Retention on a real API server: a sweep a period, once, whatever happens to the operator meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.adapters.kinds import FEEDBACK_LOOP, JOB
from feedbackloop.api import ANNOTATION_CONFIRM_SWEEP
from tests.api.loop.test_start import QUIET
from tests.api.loop.world import LoopWorld, condition

pytestmark = pytest.mark.api

PERIOD = 3600
SWEPT: dict[str, Any] = {**QUIET, "retention": {"sweepPeriodSeconds": PERIOD}}


def swept(body: dict[str, Any]) -> str:
    """When the last sweep ended."""
    return str(body.get("status", {}).get("retention", {}).get("attemptedAt", ""))


async def jobs(world: LoopWorld) -> list[str]:
    found = await world.kubernetes.list(JOB, world.namespace)
    return [job["metadata"]["name"] for job in found if not job["metadata"].get("deletionTimestamp")]


async def test_a_sweep_runs_once_a_period_and_between_them_nothing_is_written(world: LoopWorld) -> None:
    loop = await world.start(**SWEPT)
    assert not condition(loop, "RetentionVerified")
    await world.look()
    assert await world.writes_of(20) == []
    world.clock.advance(PERIOD)
    loop = await world.settle(lambda body: bool(swept(body)))
    assert condition(loop, "RetentionVerified")["reason"] == "Swept"
    assert loop["status"]["retention"]["deleted"] == 2
    assert await jobs(world) == []
    await world.look()
    assert await world.writes_of(20) == []
    first = swept(loop)
    world.clock.advance(PERIOD)
    assert swept(await world.settle(lambda body: swept(body) != first)) > first


async def test_an_operator_that_ends_between_job_and_result_finds_the_same_job(world: LoopWorld) -> None:
    await world.start(**SWEPT)
    world.clock.advance(PERIOD)
    await world.look()
    (name,) = await jobs(world)
    for _ in range(3):
        world.restart()
        world.clock.advance(5)
        await world.look()
    assert await jobs(world) == [name]
    await world.settle(lambda body: bool(swept(body)))
    assert await jobs(world) == []


async def test_a_confirmation_sweeps_at_once(world: LoopWorld) -> None:
    await world.start(**SWEPT)
    world.kubectl("annotate", FEEDBACK_LOOP.plural, "bot", f"{ANNOTATION_CONFIRM_SWEEP}=yes")
    loop = await world.settle(lambda body: bool(swept(body)))
    assert loop["status"]["retention"]["confirmed"] == "yes"
    await world.look()
    assert await world.writes_of(5) == []
