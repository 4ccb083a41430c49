from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.gateway import Arm, GatewayStatus, TrafficCounts
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Guardrail
from feedbackloop.domain.rollout.readings import State, readings
from feedbackloop.domain.rollout.traffic import Traffic
from tests.unit.domain.rollout.world import RUN_UID, Behaviour, World

ERRORS = Guardrail.model_validate({"name": "errors", "metric": "ErrorRate", "maxRatio": "0.02", "minRequests": 50})
SLOW = Guardrail.model_validate({"name": "slow", "metric": "LatencyP95", "maxMilliseconds": 2000, "minRequests": 50})


def traffic(epoch: int, arm: Arm, requests: int, errors: int = 0, **latency: Any) -> TrafficCounts:
    return TrafficCounts(
        run_uid=RUN_UID, epoch=epoch, arm=arm, requests=requests, errors=errors, latency_ms=latency.get("ms", {})
    )


def state(guardrail: Guardrail, *cells: TrafficCounts, weight: int = 50, epoch: int = 3) -> State:
    pods = [GatewayStatus(pod=f"g-{i}", traffic=(cell,)) for i, cell in enumerate(cells)]
    return readings([guardrail], pods, RUN_UID, epoch, weight)[0].state


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        ((49, 49), (500, 0), State.PENDING),
        ((50, 1), (500, 0), State.WITHIN),
        ((50, 2), (500, 0), State.FAILED),
        ((50, 2), (500, 10), State.FAILED),
        ((50, 2), (500, 11), State.DEGRADED),
        ((50, 40), (500, 11), State.DEGRADED),
        ((50, 2), (1, 0), State.FAILED),
        ((50, 2), (0, 0), State.FAILED),
        ((50, 51), (500, 0), State.MISSING),
    ],
)
def test_error_rate(canary: tuple[int, int], stable: tuple[int, int], expected: State) -> None:
    assert state(ERRORS, traffic(3, Arm.CANARY, *canary), traffic(3, Arm.STABLE, *stable)) is expected


def test_other_epochs_do_not_count() -> None:
    old = traffic(2, Arm.CANARY, 500, 400)
    assert state(ERRORS, old, traffic(3, Arm.CANARY, 50, 0), traffic(3, Arm.STABLE, 50)) is State.WITHIN


def test_pods_are_summed() -> None:
    cells = [traffic(3, Arm.CANARY, 30, 2), traffic(3, Arm.CANARY, 30, 2), traffic(3, Arm.STABLE, 60)]
    assert state(ERRORS, *cells) is State.FAILED


def test_while_baking_stable_is_its_last_epoch_with_enough_requests() -> None:
    canary = traffic(4, Arm.CANARY, 50, 5)
    degraded, small = traffic(2, Arm.STABLE, 100, 10), traffic(3, Arm.STABLE, 49, 0)
    now = traffic(4, Arm.STABLE, 80, 0)
    assert state(ERRORS, canary, degraded, small, now, weight=100, epoch=4) is State.DEGRADED
    fine = traffic(3, Arm.STABLE, 50, 0)
    assert state(ERRORS, canary, degraded, fine, now, weight=100, epoch=4) is State.FAILED


def histogram(fast: int, slow: int) -> dict[str, int]:
    return {"1000": fast, "4000": fast + slow, "inf": fast + slow}


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        (histogram(96, 4), histogram(100, 0), State.WITHIN),
        (histogram(80, 20), histogram(100, 0), State.FAILED),
        (histogram(80, 20), histogram(80, 20), State.DEGRADED),
        ({}, histogram(100, 0), State.MISSING),
        (histogram(80, 20), {}, State.MISSING),
    ],
)
def test_latency(canary: dict[str, int], stable: dict[str, int], expected: State) -> None:
    cells = traffic(3, Arm.CANARY, 100, ms=canary), traffic(3, Arm.STABLE, 100, ms=stable)
    assert state(SLOW, *cells) is expected


@pytest.mark.parametrize(
    ("latency", "p95"),
    [
        ({"100": 95, "200": 100, "inf": 100}, 100),
        ({"100": 90, "200": 100, "inf": 100}, 150),
        ({"100": 0, "200": 0, "inf": 100}, 200),
        ({"inf": 10}, 0),
        ({"100": 0, "inf": 0}, None),
    ],
)
def test_p95_as_prometheus_computes_it(latency: dict[str, int], p95: float | None) -> None:
    counts = TrafficCounts(run_uid="r", epoch=1, arm=Arm.CANARY, latency_ms=latency)
    assert Traffic().plus(counts).latency_p95 == p95


@pytest.mark.parametrize("canary", [Behaviour(down=0.1, errors=0.4), Behaviour(down=0.1, milliseconds=4000)])
def test_a_failing_guardrail_rolls_back(canary: Behaviour) -> None:
    world = World(seed=1, canary=canary)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None and world.status.abort.reason == "GuardrailFailed"
    assert "limit" in world.status.abort.message
    assert world.weights == [0, 10, 0]


def test_trouble_of_both_arms_holds() -> None:
    world = World(seed=1, stable=Behaviour(down=0.3, errors=0.4), canary=Behaviour(down=0.1, errors=0.4))
    for _ in range(100):
        world.tick()
    assert world.weights == [0, 10]
    assert world.status.abort is None
    assert world.last is not None
    degraded = next(c for c in world.last.conditions if c.type == "TargetDegraded")
    assert (degraded.status, degraded.reason) == (True, "TargetDegraded")
