"""The steps that set something of the canary: its size, and its header routes."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action
from tests.unit.domain.rollout.test_verbs import quiet, ticks
from tests.unit.domain.rollout.world import World

ROUTE = {"setHeaderRoute": {"headerName": "X-Tester", "values": ["ann", "bob"]}}


@pytest.mark.parametrize(
    ("scale", "replicas"),
    [({"replicas": 3}, 3), ({"percent": 30}, 3), ({"percent": 1}, 1), ({"matchTrafficWeight": True}, 1)],
)
def test_the_canary_is_scaled_and_awaited_before_the_next_step(scale: dict[str, Any], replicas: int) -> None:
    world = quiet({"setCanaryScale": scale}, {"pause": {}}, {"setWeight": 10}, {"pause": {}})
    world.target.replicas, world.start_seconds = 8, 20
    world.tick()
    assert (world.status.canary_replicas, world.status.step_index, world.status.weight) == (replicas, 0, 0)
    world.run_until(step_index=1)
    assert world.pods.observed(world.second).ready == replicas


def test_never_fewer_replicas_than_the_weight_needs() -> None:
    world = quiet({"setWeight": 50}, {"setCanaryScale": {"replicas": 0}}, {"pause": {}})
    world.target.replicas = 7
    world.run_until(step_index=2)
    assert world.status.canary_replicas == 4
    world.target.replicas = 9
    ticks(world, 3)
    assert world.status.canary_replicas == 5


def test_a_larger_canary_shrinks_to_its_need_when_the_step_says_so() -> None:
    world = quiet(
        {"setCanaryScale": {"replicas": 6}},
        {"setWeight": 20},
        {"pause": {"durationSeconds": 10}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
        {"pause": {}},
    )
    world.target.replicas = 4
    world.run_until(step_index=2)
    assert world.status.canary_replicas == 6
    world.run_until(step_index=4)
    assert (world.status.scale, world.status.canary_replicas) == (None, 1)


def test_a_scale_stands_for_later_weights_and_promotion_has_its_whole_capacity() -> None:
    world = quiet({"setCanaryScale": {"replicas": 2}}, {"setWeight": 10}, {"pause": {}})
    world.target.replicas = 3
    world.run_until(step_index=2)
    assert world.status.canary_replicas == 2
    world.ask(Action.PROMOTE_FULL)
    world.run_until(weight=100)
    assert world.status.canary_replicas == 3
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_without_a_weight_the_canary_may_have_no_replica() -> None:
    world = quiet({"setCanaryScale": {"replicas": 0}}, {"pause": {}}, {"setWeight": 10})
    world.run_until(step_index=1)
    assert world.status.canary_replicas == 0
    world.ask(Action.PROMOTE)
    world.run_until(weight=10)
    assert world.status.canary_replicas == 1


def routed() -> World:
    world = quiet(ROUTE, {"pause": {}}, {"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    return world


def test_a_header_route_is_an_epoch_of_its_own_once_the_canary_is_there() -> None:
    world = quiet(ROUTE, {"pause": {}}, {"setWeight": 10}, {"pause": {}})
    world.start_seconds = 20
    ticks(world, 4)
    assert (world.status.epoch, world.status.header_routes) == (0, ())
    world.run_until(step_index=1)
    assert (world.status.epoch, world.status.weight) == (1, 0)
    assert [(r.header_name, r.values) for r in world.status.header_routes] == [("X-Tester", ("ann", "bob"))]


def test_empty_values_remove_a_header_route() -> None:
    removal = {"setHeaderRoute": {"headerName": "x-tester", "values": []}}
    world = quiet(ROUTE, {"setWeight": 10}, {"pause": {"durationSeconds": 10}}, removal, {"pause": {}})
    world.run_until(step_index=2)
    assert world.status.header_routes
    world.run_until(step_index=4)
    assert (world.status.header_routes, world.status.weight) == ((), 10)
    assert world.status.epoch == 3


def test_a_header_route_goes_with_an_abort_also_at_weight_0() -> None:
    world = routed()
    epoch = world.status.epoch
    world.answer(Action.ABORT)
    assert (world.status.header_routes, world.status.epoch) == ((), epoch + 1)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_a_header_route_goes_when_everybody_gets_the_canary() -> None:
    world = routed()
    world.ask(Action.PROMOTE_FULL)
    world.run_until(weight=100)
    assert world.status.header_routes == ()
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_more_header_routes_than_status_keeps_hold_and_say_so() -> None:
    routes = [{"setHeaderRoute": {"headerName": f"X-T{i}", "values": ["1"]}} for i in range(9)]
    world = quiet(*routes, {"setWeight": 10})
    world.run_until(step_index=8)
    ticks(world, 3)
    assert world.last is not None
    assert world.last.message == "rollout.steps: at most 8 headers can have a route at a time"
