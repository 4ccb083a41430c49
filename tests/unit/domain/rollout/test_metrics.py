"""Guardrails on the gateways' counts beyond errors and latency."""

from __future__ import annotations

import pytest

from feedbackloop.api.gateway import Arm, GatewayStatus, TrafficCounts
from feedbackloop.api.rollout import Guardrail, GuardrailMetric
from feedbackloop.domain.rollout.metrics import METRICS
from feedbackloop.domain.rollout.readings import State, readings
from feedbackloop.domain.rollout.traffic import Traffic

RUN = "run"
REFUSALS = {"name": "refusals", "metric": "RefusalRate", "maxRatio": "0.1", "minRequests": 50}
EMPTY = {"name": "empty", "metric": "EmptyRate", "maxRatio": "0.1", "minRequests": 50}
FIRST = {"name": "first", "metric": "FirstTokenP95", "maxMilliseconds": 500, "minRequests": 50}


def cell(arm: Arm, requests: int, epoch: int = 3, **counts: object) -> TrafficCounts:
    return TrafficCounts.model_validate({"runUid": RUN, "epoch": epoch, "arm": arm, "requests": requests, **counts})


def state(guardrail: dict[str, object], *cells: TrafficCounts, weight: int = 50) -> State:
    pods = [GatewayStatus(pod=f"g-{i}", traffic=(c,)) for i, c in enumerate(cells)]
    return readings([Guardrail.model_validate(guardrail)], pods, RUN, 3, weight)[0].state


@pytest.mark.parametrize(("guardrail", "field"), [(REFUSALS, "refusals"), (EMPTY, "empty")])
@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        ((49, 49), (500, 0), State.PENDING),
        ((50, 5), (500, 0), State.WITHIN),
        ((50, 6), (500, 50), State.FAILED),
        ((50, 6), (500, 51), State.DEGRADED),
        ((50, 51), (500, 0), State.MISSING),
        ((50, 6), (500, 501), State.MISSING),
    ],
)
def test_a_share_of_the_answers(
    guardrail: dict[str, object], field: str, canary: tuple[int, int], stable: tuple[int, int], expected: State
) -> None:
    cells = cell(Arm.CANARY, canary[0], **{field: canary[1]}), cell(Arm.STABLE, stable[0], **{field: stable[1]})
    assert state(guardrail, *cells) is expected


def streams(arm: Arm, fast: int, slow: int, requests: int = 1000, epoch: int = 3) -> TrafficCounts:
    histogram = {"400": fast, "1000": fast + slow, "inf": fast + slow}
    return cell(arm, requests, epoch, streamed=fast + slow, firstTokenMs=histogram)


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        ((49, 0), (100, 0), State.PENDING),
        ((0, 0), (100, 0), State.PENDING),
        ((100, 0), (0, 0), State.WITHIN),
        ((50, 50), (100, 0), State.FAILED),
        ((50, 50), (50, 50), State.DEGRADED),
        ((50, 50), (0, 0), State.FAILED),
    ],
)
def test_time_to_the_first_token_counts_streamed_answers(
    canary: tuple[int, int], stable: tuple[int, int], expected: State
) -> None:
    assert state(FIRST, streams(Arm.CANARY, *canary), streams(Arm.STABLE, *stable)) is expected


def test_while_baking_stables_last_epoch_needs_enough_streams() -> None:
    baking = streams(Arm.CANARY, 50, 50)
    before = streams(Arm.STABLE, 10, 39, epoch=2), streams(Arm.STABLE, 10, 50, epoch=1)
    assert state(FIRST, baking, *before, weight=100) is State.DEGRADED
    assert state(FIRST, baking, before[0], weight=100) is State.FAILED


def test_counts_that_are_not_cumulative_are_no_percentile() -> None:
    """A part of a histogram that was lost would make a slow candidate look fast."""
    broken = cell(Arm.CANARY, 100, streamed=100, firstTokenMs={"400": 90, "1000": 40, "inf": 100})
    assert Traffic().plus(broken).first_token_p95 is None
    assert state(FIRST, broken, streams(Arm.STABLE, 100, 0)) is State.MISSING


def test_every_metric_of_the_api_is_in_the_table() -> None:
    assert set(METRICS) == set(GuardrailMetric)


def test_a_reading_says_what_was_counted() -> None:
    pods = [GatewayStatus(pod="g", traffic=(streams(Arm.CANARY, 50, 50), streams(Arm.STABLE, 100, 0)))]
    reading = readings([Guardrail.model_validate(FIRST)], pods, RUN, 3, 50)[0]
    assert str(reading) == "first: canary 940 ms of 100 streamed answers, stable 380 ms of 100 streamed answers"
