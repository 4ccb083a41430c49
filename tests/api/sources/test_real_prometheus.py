"""Guardrails on a real Prometheus: its numbers decide, its outage holds, and its deadline ends that.

The rollout's clock is simulated; the source is real, and is asked at the real time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from feedbackloop.adapters.prometheus import NoNumber, PrometheusAdapter
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.rollout import Rollout
from feedbackloop.domain.rollout import RolloutObservation
from feedbackloop.domain.rollout.queries import QuerySeen, questions
from tests.support.prometheus import Numbers, Prometheus, exporter
from tests.unit.domain.rollout.world import RUN_UID, World, rollout_spec

pytestmark = pytest.mark.api

QUERY = 'max(busy{arm="$arm",loop="$loop",namespace="$namespace"})'


@dataclass
class Sourced(World):
    """The simulated world, with what the real source says."""

    numbers: tuple[QuerySeen, ...] = field(default_factory=tuple)

    @property
    def observation(self) -> RolloutObservation:
        return replace(super().observation, queries=self.numbers)

    async def look(self, adapter: PrometheusAdapter) -> None:
        """One tick, after the source has answered or has been found away."""
        asked = questions(self.spec, self.status, "ml", "bot", self.now)
        often = [replace(q, interval_seconds=0) for q in asked]
        for question in often:
            adapter.answer(RUN_UID, question, datetime.now(UTC))
        await adapter.settled()
        seen = [adapter.answer(RUN_UID, question, datetime.now(UTC)) for question in often]
        self.numbers = tuple(one for one in seen if one is not None)
        self.tick()

    def condition(self, type_: str) -> Any:
        assert self.last is not None
        return next(c for c in self.last.conditions if c.type == type_)


def spec(requests: int = 5, **source: Any) -> Rollout:
    prometheus = {"endpointName": "prom", "query": QUERY, "intervalSeconds": 5} | source
    guardrail = {
        "name": "busy",
        "metric": "Prometheus",
        "maxValue": "0.5",
        "minRequests": requests,
        "prometheus": prometheus,
    }
    return rollout_spec(guardrails=[guardrail], maxDurationSeconds=100_000)


@pytest.fixture(scope="module")
def numbers() -> Iterator[Numbers]:
    with exporter() as one:
        for arm in ("stable", "canary"):
            one.set("busy", 0.2, arm=arm, loop="bot", namespace="ml")
        one.set("zero", 0.0, arm="canary")
        one.set("zero", 0.0, arm="stable")
        yield one


@pytest.fixture(scope="module")
def prometheus(numbers: Numbers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Prometheus(tmp_path_factory.mktemp("prometheus"), numbers.port) as one:
        one.await_samples("busy")
        yield one


@pytest.fixture
async def adapter(prometheus: Prometheus) -> AsyncIterator[PrometheusAdapter]:
    pod = {"name": "p", "image": "i"}
    endpoint = {"name": "prom", "type": "Prometheus", "url": prometheus.url}
    config = {"endpoints": [endpoint], "profiles": [], "jobs": pod, "gateway": {"image": "i"}}
    one = PrometheusAdapter(AdminConfig.model_validate(config))
    yield one
    await one.close()


async def until(condition: Callable[[], bool], act: Callable[[], Awaitable[None]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await act()


async def test_the_numbers_of_both_arms_let_it_go_on(adapter: PrometheusAdapter) -> None:
    world = Sourced(spec=spec())
    await until(lambda: world.status.weight == 50, lambda: world.look(adapter))
    (query,) = world.status.queries
    assert (query.canary, query.stable) == ("0.2", "0.2")


async def test_a_canary_over_its_limit_is_taken_back(
    adapter: PrometheusAdapter, prometheus: Prometheus, numbers: Numbers
) -> None:
    numbers.set("busy", 0.9, arm="canary", loop="bot", namespace="ml")
    prometheus.await_samples('busy{arm="canary"} == 0.9')
    try:
        world = Sourced(spec=spec())
        await until(lambda: world.status.abort is not None, lambda: world.look(adapter))
        assert world.status.abort is not None
        assert "busy: canary 0.9 of" in world.status.abort.message
    finally:
        numbers.set("busy", 0.2, arm="canary", loop="bot", namespace="ml")
        prometheus.await_samples('busy{arm="canary"} == 0.2')


async def test_an_outage_holds_and_the_rollout_goes_on_after_it(
    adapter: PrometheusAdapter, prometheus: Prometheus
) -> None:
    world = Sourced(spec=spec(requests=60))
    await until(lambda: bool(world.status.queries), lambda: world.look(adapter))
    prometheus.kill()
    try:
        await until(lambda: world.condition("MetricsAvailable").status is False, lambda: world.look(adapter))
        weights = list(world.weights)
        for _ in range(60):
            await world.look(adapter)
        assert weights == [0, 10] == world.weights and world.status.abort is None, "an outage neither passes nor aborts"
        assert world.condition("MetricsAvailable").reason == "SourceUnavailable"
    finally:
        prometheus.start()
    prometheus.await_samples("busy")
    await until(lambda: world.status.weight == 50, lambda: world.look(adapter))
    assert world.condition("MetricsAvailable").status is True


async def test_the_deadline_of_an_outage_is_kept(adapter: PrometheusAdapter, prometheus: Prometheus) -> None:
    world = Sourced(spec=spec(unavailableDeadlineSeconds=86_400, onUnavailable="Abort"))
    await until(lambda: bool(world.status.queries), lambda: world.look(adapter))
    prometheus.kill()
    try:
        world.sessions_per_second = 0
        await until(lambda: world.condition("MetricsAvailable").status is False, lambda: world.look(adapter))
        world.second += 86_400 - 10
        await world.look(adapter)
        assert world.status.abort is None
        world.second += 20
        await world.look(adapter)
        assert world.status.abort is not None and world.status.abort.reason == "SourceUnavailable"
    finally:
        prometheus.start()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("nothing{arm='canary'}", "gives nothing"),
        ("zero{arm='canary'} / zero{arm='canary'}", "NaN"),
        ("1 / zero{arm='canary'}", "Inf"),
        ("zero", "2 series"),
        ("busy[1m]", "matrix"),
        ("sum(", "bad_data"),
    ],
)
async def test_edge_35_what_is_no_number(adapter: PrometheusAdapter, query: str, why: str) -> None:
    with pytest.raises(NoNumber, match=why):
        await adapter.number("prom", query, datetime.now(UTC))


async def test_a_scalar_is_a_number(adapter: PrometheusAdapter) -> None:
    assert await adapter.number("prom", "scalar(max(busy))", datetime.now(UTC)) == 0.2
    assert await adapter.number("prom", "0", datetime.now(UTC)) == 0.0
