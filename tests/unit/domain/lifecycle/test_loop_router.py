from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.rollout.routing import GatewayApi, KServe, Replicas, TrafficRouting
from feedbackloop.domain.lifecycle.loop import decide
from feedbackloop.domain.lifecycle.loop_effects import Apply, Decision
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation, OtherLoop
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.traffic import Standing, judge
from feedbackloop.domain.traffic.provider import RouterRead, provider
from tests.unit.domain.lifecycle.loop_world import ADMIN, NOW, fresh
from tests.unit.domain.traffic.routes import CHAT, World, routing

DECLARED = TrafficRouting(gateway_api=GatewayApi(http_route_name="support", rule_name="chat"))


def loop_with(declared: TrafficRouting, **changes: Any) -> LoopObservation:
    seen = fresh()
    spec = seen.loop.spec
    assert spec is not None
    assert spec.rollout is not None
    rollout = spec.rollout.model_copy(update={"traffic_routing": declared})
    facts = replace(seen.loop, spec=spec.model_copy(update={"rollout": rollout}))
    return replace(seen, loop=facts, **changes)


def why(decision: Decision) -> str:
    found = [c for c in decision.status.conditions if c.type == ConditionType.STALLED and c.status == "True"]
    return f"{found[0].reason}: {found[0].message}" if found else ""


@pytest.mark.parametrize(("created", "stalls"), [("2025-01-01T00:00:00Z", True), ("2027-01-01T00:00:00Z", False)])
def test_edge_case_43_of_two_loops_on_one_rule_the_older_wins(created: str, *, stalls: bool) -> None:
    rival = OtherLoop("rival", "z", created, "another", route="rule chat of HTTPRoute support")
    said = why(decide(loop_with(DECLARED, others=(rival,)), ADMIN, NOW))
    assert said.startswith("RouteOwnedByOtherLoop") is stalls
    assert ("rival" in said) is stalls


def test_loops_on_other_rules_of_one_route_do_not_matter() -> None:
    rival = OtherLoop("rival", "z", "2025-01-01T00:00:00Z", "another", route="rule files of HTTPRoute support")
    assert not why(decide(loop_with(DECLARED, others=(rival,)), ADMIN, NOW))


def test_steps_that_the_replicas_cannot_give_are_refused_before_anything_runs() -> None:
    said = why(decide(loop_with(TrafficRouting(replicas=Replicas(max_share_error="0.01"))), ADMIN, NOW))
    assert said.startswith("WeightNotAchievable: spec.rollout.steps: ")
    assert "they can give" in said


@pytest.mark.parametrize(
    "declared",
    [TrafficRouting(replicas=Replicas(max_share_error="1")), TrafficRouting(kserve=KServe(inference_service_name="s"))],
)
def test_a_loop_does_not_wait_for_traffic_that_nobody_sends(declared: TrafficRouting) -> None:
    assert why(decide(loop_with(declared), ADMIN, NOW)).startswith("NotServedYet")


def leaving(world: World, **changes: Any) -> LoopObservation:
    seen = loop_with(DECLARED, router=RouterRead(world.body))
    status = seen.loop.status.model_copy(update={"weight": 50})
    return replace(seen, loop=replace(seen.loop, status=status, has_finalizer=True, deleting_since=NOW, **changes))


def written(world: World, body: dict[str, Any]) -> None:
    """As the API server keeps an apply."""
    meta = world.body["metadata"]
    world.body["spec"]["rules"] = body["spec"]["rules"]
    meta["annotations"] = body["metadata"]["annotations"]
    meta["generation"] += 1
    meta["managedFields"] = [{"manager": "feedbackloop", "time": stamp(NOW), "fieldsV1": {"f:spec": {"f:rules": {}}}}]


def routed_by(seen: LoopObservation) -> World:
    world = World()
    for _ in range(2):
        for body in provider(DECLARED, seen.loop.ref, RouterRead(world.body)).desired(routing(1, 50)):
            written(world, body)
    return world


def test_a_loop_that_goes_gives_the_route_back_first_and_waits_until_the_router_has_seen_it() -> None:
    world = routed_by(fresh())
    world.router_answers()
    first = decide(leaving(world), ADMIN, NOW)
    (effect,) = first.effects
    assert isinstance(effect, Apply)
    assert first.finalizer
    assert CHAT in effect.body["spec"]["rules"], "traffic goes back at once, and the backends stay known"
    written(world, effect.body)
    assert decide(leaving(world), ADMIN, NOW + timedelta(seconds=9)).effects == ()
    world.router_answers()
    assert decide(leaving(world), ADMIN, NOW + timedelta(seconds=4)).effects == ()
    (last,) = decide(leaving(world), ADMIN, NOW + timedelta(seconds=5)).effects
    assert isinstance(last, Apply)
    assert last.body["spec"]["rules"] == World().rules
    written(world, last.body)
    waiting = decide(leaving(world), ADMIN, NOW + timedelta(seconds=6))
    assert (waiting.finalizer, waiting.effects) == (True, ())
    world.router_answers()
    assert not decide(leaving(world), ADMIN, NOW + timedelta(seconds=6)).finalizer


def test_edge_case_40_a_route_that_is_gone_or_never_answers_does_not_keep_a_loop() -> None:
    gone = replace(leaving(World()), router=RouterRead())
    assert not decide(gone, ADMIN, NOW).finalizer
    late = NOW + timedelta(seconds=ADMIN.gateway.drain_seconds)
    assert not decide(leaving(routed_by(fresh())), ADMIN, late).finalizer


@pytest.mark.parametrize(
    ("read", "reason", "words"),
    [
        (RouterRead(served=False), Reason.ROUTER_NOT_SUPPORTED, "install the CRDs"),
        (RouterRead(), Reason.ROUTE_NOT_ACCEPTED, "create it"),
        (RouterRead(forbidden="the operator may not get httproutes"), Reason.FORBIDDEN, "may not get"),
    ],
    ids=["edge-case-41-no-crd", "edge-case-40-no-route", "edge-case-42-no-right"],
)
def test_what_cannot_be_read_holds_and_says_why(read: RouterRead, reason: Reason, words: str) -> None:
    seen = provider(DECLARED, fresh().loop.ref, read).seen(routing(1, 10), written_before=False)
    assert seen is not None
    assert seen.impossible is reason
    assert words in seen.message
    assert judge(seen, 10).standing is Standing.NOT_SUPPORTED
    assert provider(DECLARED, fresh().loop.ref, read).desired(routing(1, 10)) == ()
