"""The health port, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from feedbackloop.engine.health import Health, at_most
from feedbackloop.engine.metrics import Metrics


@pytest.fixture
async def health() -> AsyncIterator[tuple[Health, str]]:
    health = Health(Metrics())
    port = await health.serve("127.0.0.1", 0)
    yield health, f"http://127.0.0.1:{port}"
    await health.close()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_process_without_problems_is_alive(health: tuple[Health, str]) -> None:
    assert await get(f"{health[1]}/livez") == (200, "alive\n")


async def test_a_standby_is_ready_and_says_what_it_is(health: tuple[Health, str]) -> None:
    health[0].role = "standby"
    assert await get(f"{health[1]}/readyz") == (200, "standby\n")


async def test_a_failing_check_is_named_and_answered_with_503(health: tuple[Health, str]) -> None:
    health[0].live["queue"] = at_most(300, lambda: 301.0, "a key waits")
    assert await get(f"{health[1]}/livez") == (503, "queue: a key waits for 301 s\n")


async def test_metrics_are_what_prometheus_reads(health: tuple[Health, str]) -> None:
    health[0]._metrics.request("apply", "services", "200")
    status, text = await get(f"{health[1]}/metrics")
    assert status == 200
    assert 'feedbackloop_api_requests_total{code="200",resource="services",verb="apply"} 1.0' in text
    assert 'feedbackloop_api_writes_total{resource="services"} 1.0' in text
