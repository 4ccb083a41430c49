"""A traffic provider that is not the gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.domain.traffic import ProviderSeen
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks
from tests.unit.domain.rollout.world import World

ROUTE = {"gatewayAPI": {"httpRouteName": "bot", "ruleName": "chat"}}
GOOD = ProviderSeen(epoch=0, accepted=True)


def routed(**changes: int) -> World:
    world = quiet({"setWeight": 10}, {"setWeight": 50}, {"pause": {}}, trafficRouting=ROUTE, **changes)
    world.provider = GOOD
    return world


def test_an_accepted_route_goes_on() -> None:
    world = routed()
    world.run_until(step_index=2)
    assert world.status.provider is not None
    assert (world.status.provider.weight, world.status.provider.accepted) == (50, True)


def test_a_router_that_cannot_be_read_is_an_outage_that_holds() -> None:
    world = routed()
    world.run_until(step_index=2)
    before = world.status
    world.provider = None
    ticks(world, 10)
    assert world.status == before
    assert finding(world, "RoutingReady") == (
        False,
        "RouteNotAccepted",
        "the router was not seen: nothing is known of what it does",
    )


def test_nothing_starts_by_a_router_that_was_never_seen() -> None:
    world = routed()
    world.provider = None
    ticks(world, 10)
    assert world.status.epoch == 0


def test_an_epoch_starts_once_the_router_has_accepted_it() -> None:
    world = routed()
    world.provider = ProviderSeen(epoch=0, accepted=False, message="the router has not looked at the route yet")
    world.run_until(weight=10)
    ticks(world, 5)
    assert (world.status.epoch_started_at, world.status.step_index) == (None, 0)
    assert finding(world, "RoutingReady") == (False, "RouteNotAccepted", "the router has not looked at the route yet")
    world.provider = GOOD
    world.run_until(step_index=2)


@pytest.mark.parametrize(
    "problem", [Reason.ROUTER_NOT_SUPPORTED, Reason.ROUTE_OWNED_BY_OTHER_LOOP, Reason.WEIGHT_NOT_ACHIEVABLE]
)
@pytest.mark.parametrize("before", [0, 1])
def test_what_a_router_cannot_do_holds_with_its_words(problem: Reason, before: int) -> None:
    world = routed()
    world.run_until(step_index=before)
    world.provider = ProviderSeen(epoch=0, problem=problem, message="3 replicas give 33 or 67 percent")
    ticks(world, 10)
    assert finding(world, "RoutingReady") == (False, problem.value, "3 replicas give 33 or 67 percent")
    assert world.status.step_index == before


def test_a_route_that_is_never_accepted_is_taken_back_at_the_deadline() -> None:
    world = routed(progressDeadlineSeconds=60)
    world.run_until(weight=10)
    world.provider = ProviderSeen(epoch=0, problem=Reason.ROUTE_NOT_ACCEPTED, message="NoMatchingParent")
    world.run_until(abort=True)
    world.provider = GOOD
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_requests_that_do_not_follow_the_weight_hold() -> None:
    world = routed()
    world.run_until(weight=10)
    world.provider = replace(GOOD, problem=Reason.SHARE_MISMATCH, observed_share="0.5", message="100 of 200")
    ticks(world, 10)
    assert (world.status.weight, world.status.step_index) == (10, 0)
    assert finding(world, "RoutingReady") == (
        False,
        "ShareMismatch",
        "the router accepted weight 10, and the requests do not follow it",
    )


def test_another_writers_change_holds_counts_once_and_its_interval_is_left_out() -> None:
    world = routed()
    world.run_until(step_index=2)
    epoch = world.status.epoch
    world.provider = replace(GOOD, accepted=False, changed_by="argocd", changed_at="2027-01-01T00:01:00Z", message="w")
    ticks(world, 10)
    assert world.status.provider is not None
    assert world.status.provider.conflicts == 1
    assert finding(world, "RoutingReady") == (False, "RouteConflict", "w")
    assert epoch not in {e.epoch for e in world.status.epochs}
    world.provider = GOOD
    ticks(world, 2)
    assert (world.status.weight, world.status.epoch) == (50, epoch + 1)
    assert world.status.epoch_started_at is not None
    assert world.status.pause_reason == ""


def test_three_changes_pause_until_a_person_settles_it() -> None:
    world = routed()
    world.run_until(step_index=2)
    for minute in range(3):
        at = f"2027-01-01T00:0{minute + 1}:00Z"
        world.provider = replace(GOOD, accepted=False, changed_by="argocd", changed_at=at, message="argocd changed it")
        ticks(world, 3)
        if minute < 2:
            assert world.status.pause_reason == ""
            world.provider = GOOD
            ticks(world, 2)
    assert world.status.pause_reason == "RouteConflict"
    assert any(r.why == "3 times: argocd changed it" for r in world.records)
    world.provider = GOOD
    assert world.answer(Action.RESUME)[0] is ActionResult.DONE
    ticks(world, 3)
    assert world.status.provider is not None
    assert (world.status.provider.conflicts, world.status.pause_reason) == (0, "")


def test_a_router_that_disputes_does_not_keep_an_abort() -> None:
    world = routed()
    world.run_until(step_index=2)
    world.provider = replace(GOOD, accepted=False, changed_by="argocd", changed_at="2027-01-01T00:01:00Z", message="w")
    assert world.answer(Action.ABORT)[0] is ActionResult.DONE
    assert world.status.weight == 0
    ticks(world, 5)
    assert world.outcome is None
    world.provider = GOOD
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_a_share_that_moves_with_every_request_is_no_write() -> None:
    world = routed()
    world.run_until(step_index=2)
    ticks(world, 2)
    before = world.status
    world.provider = replace(GOOD, observed_share="0.49", message="98 of 200 answers")
    ticks(world, 3)
    assert world.status == before
