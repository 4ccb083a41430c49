from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.traffic import Standing, judge, may_write
from feedbackloop.domain.traffic.gateway_api.buckets import canary_buckets, pattern
from tests.unit.domain.traffic.routes import AT, CHAT, FILES, HEALTH, World, backend, routing, rule

IDLE = routing(0, 0)


@given(st.text(max_size=20), st.integers(0, 100), st.integers(0, 100))
def test_raising_the_weight_only_moves_buckets_to_the_canary(salt: str, one: int, two: int) -> None:
    less, more = sorted((one, two))
    assert set(canary_buckets(salt, less)) <= set(canary_buckets(salt, more))
    assert len(canary_buckets(salt, more)) == more


@given(st.text(max_size=20), st.integers(1, 99), st.integers(0, 199))
def test_the_pattern_matches_the_canarys_buckets_and_nothing_else(salt: str, weight: int, value: int) -> None:
    buckets = canary_buckets(salt, weight)
    assert bool(re.search(pattern(buckets), str(value))) == (value in buckets)


def test_another_candidate_is_tried_on_other_buckets() -> None:
    assert canary_buckets("one", 10) != canary_buckets("two", 10)


def test_only_the_named_rule_is_written_and_the_others_stay_byte_for_byte() -> None:
    world = World()
    applied = world.apply(routing(1, 10))
    assert applied is not None
    assert applied["metadata"]["resourceVersion"] == "7"
    names = [r["name"] for r in world.rules]
    assert names == ["files", "chat-canary-sessions", "chat-stable-sessions", "chat-before", "chat", "health"]
    assert world.named("files") == FILES
    assert world.named("health") == HEALTH
    assert world.named("chat")["matches"] == CHAT["matches"]
    assert world.named("chat")["backendRefs"] == [backend("bot-stable", 90), backend("bot-canary", 10)]


def test_sessions_with_a_bucket_follow_it() -> None:
    world = World()
    world.apply(routing(1, 10))
    canary, stable = world.named("chat-canary-sessions"), world.named("chat-stable-sessions")
    assert canary["matches"][0]["path"] == CHAT["matches"][0]["path"]
    header = canary["matches"][0]["headers"][0]
    assert header == {
        "type": "RegularExpression",
        "name": "X-Fl-Bucket",
        "value": pattern(canary_buckets("5a17", 10)),
    }
    assert canary["backendRefs"] == [backend("bot-canary")]
    assert stable["backendRefs"] == [backend("bot-stable")]
    assert re.search(stable["matches"][0]["headers"][0]["value"], "99")
    assert not re.search(stable["matches"][0]["headers"][0]["value"], "100")


@pytest.mark.parametrize(("weight", "only"), [(0, "bot-stable"), (100, "bot-canary")])
def test_an_arm_without_a_share_is_no_backend(weight: int, only: str) -> None:
    world = World()
    world.apply(routing(1, 10))
    world.apply(routing(2, weight))
    assert [b["name"] for b in world.named("chat")["backendRefs"]] == [only]
    for arm in ("canary", "stable"):
        expression = world.named(f"chat-{arm}-sessions")["matches"][0]["headers"][0]["value"]
        matched = [bucket for bucket in range(100) if re.search(expression, str(bucket))]
        assert len(matched) == (100 if only == f"bot-{arm}" else 0)


def test_before_the_first_split_the_router_gets_to_know_the_backends() -> None:
    world, wanted = World(), routing(1, 10)
    world.step(wanted)
    assert world.named("chat") == CHAT, "no request goes anywhere else yet"
    fronts = [r for r in world.rules if r["name"].startswith("chat-")]
    assert [b["name"] for r in fronts for b in r["backendRefs"]] == ["bot-canary", "bot-stable", "support"]
    for value in ("0", "99", "", "-", "x"):
        assert not any(re.search(r["matches"][0]["headers"][0]["value"], value) for r in fronts)
    seen = world.seen(wanted)
    assert (judge(seen, 10).standing, seen.warm) == (Standing.WAITING, False)
    world.router_answers()
    seen = world.seen(wanted)
    assert (judge(seen, 10).standing, seen.warm, seen.warming_since) == (Standing.WAITING, True, AT)
    world.router_answers(resolved="False")
    seen = world.seen(wanted)
    assert judge(seen, 10).standing is Standing.REFUSED
    assert not may_write(seen, None, datetime.fromisoformat(AT) + timedelta(hours=1), taking_back=False)


def test_rules_that_another_writer_took_away_come_back_in_two_steps_too() -> None:
    world, wanted = World(), routing(1, 10)
    world.apply(wanted)
    world.other_writes([FILES, CHAT, HEALTH])
    world.step(wanted)
    assert world.named("chat") == CHAT
    assert world.seen(wanted).writers == ()
    world.step(wanted)
    assert [b["weight"] for b in world.named("chat")["backendRefs"]] == [90, 10]


def test_the_rule_is_put_back_when_no_rollout_routes() -> None:
    world = World()
    before = copy.deepcopy(world.rules)
    for epoch, weight in enumerate((10, 50, 0, 100), start=1):
        world.apply(routing(epoch, weight))
    world.apply(IDLE)
    assert world.rules == before
    assert not world.body["metadata"]["annotations"]
    assert world.apply(IDLE) is None


def test_a_route_that_is_as_it_shall_be_is_not_written() -> None:
    world = World()
    assert world.apply(IDLE) is None
    world.apply(routing(1, 10))
    assert world.apply(routing(1, 10)) is None


def test_what_another_loop_keeps_on_the_same_route_stays() -> None:
    world = World()
    world.body["metadata"]["annotations"] = {"feedbackloop.dev/rule-before.abc": "theirs", "team": "ml"}
    applied = world.apply(routing(1, 10))
    assert applied is not None
    assert applied["metadata"]["annotations"]["feedbackloop.dev/rule-before.abc"] == "theirs"
    assert "team" not in applied["metadata"]["annotations"], "an apply must not take over what others manage"


def test_a_router_is_believed_only_for_the_generation_that_is_there() -> None:
    world, wanted = World(), routing(1, 10)
    assert judge(world.seen(wanted), 10).standing is Standing.WAITING
    world.router_answers()
    world.apply(wanted)
    waiting = judge(world.seen(wanted), 10)
    assert waiting.standing is Standing.WAITING
    assert "edge" in waiting.message
    world.router_answers()
    assert judge(world.seen(wanted), 10).standing is Standing.ACCEPTED


@pytest.mark.parametrize("refused", [{"accepted": "False"}, {"resolved": "False"}, {"resolved": "Unknown"}])
def test_both_conditions_of_every_parent_must_be_true(refused: dict[str, str]) -> None:
    world, wanted = World(), routing(1, 10)
    world.apply(wanted)
    world.router_answers(**refused)  # type: ignore[arg-type]
    judged = judge(world.seen(wanted), 10)
    assert judged.standing is Standing.REFUSED
    assert "in words" in judged.message


def test_a_parent_that_says_nothing_is_waited_for() -> None:
    world, wanted = World(), routing(1, 10)
    world.body["spec"]["parentRefs"].append({"name": "internal"})
    world.apply(wanted)
    world.router_answers()
    judged = judge(world.seen(wanted), 10)
    assert judged.standing is Standing.WAITING
    assert "internal" in judged.message


def test_edge_case_3_two_writers_on_one_rule_the_other_one_is_named() -> None:
    world, wanted = World(), routing(1, 10)
    world.apply(wanted)
    world.router_answers()
    world.other_writes([FILES, CHAT, HEALTH], manager="argocd-application-controller")
    world.router_answers()
    seen = world.seen(wanted)
    judged = judge(seen, 10)
    assert judged.standing is Standing.CONFLICT
    assert "argocd-application-controller" in judged.message
    assert seen.weight == 0


def test_a_change_of_another_rule_is_no_conflict_not_even_at_the_next_step() -> None:
    world, wanted = World(), routing(1, 10)
    world.apply(wanted)
    moved = [r if r["name"] != "health" else rule("health", "/ready", backend("support")) for r in world.rules]
    world.other_writes(moved)
    world.router_answers()
    assert judge(world.seen(wanted), 10).standing is Standing.ACCEPTED
    assert judge(world.seen(routing(2, 50)), 50).standing is Standing.WAITING
    world.apply(routing(2, 50))
    assert world.named("health")["matches"][0]["path"]["value"] == "/ready"


def test_a_writer_that_replaced_the_whole_object_is_named_too() -> None:
    world, wanted = World(), routing(1, 10)
    world.apply(wanted)
    world.other_writes([FILES, CHAT, HEALTH], manager="kubectl-replace")
    world.body["metadata"]["annotations"] = {}
    assert judge(world.seen(wanted, written_before=True), 10).standing is Standing.CONFLICT
    assert judge(world.seen(wanted), 10).standing is Standing.WAITING, "at a rollout's first write nobody is at fault"


def test_a_copy_of_our_rule_without_what_was_kept_is_not_taken_for_the_original() -> None:
    world = World()
    world.apply(routing(1, 10))
    world.body["metadata"]["annotations"] = {}
    world.apply(routing(2, 20))
    world.apply(IDLE)
    assert [b["name"] for b in world.named("chat")["backendRefs"]] == ["bot-stable"]


def test_edge_case_39_backends_of_another_namespace_are_refused() -> None:
    world = World(rule("chat", "/v1/chat", {**backend("support"), "namespace": "other"}))
    seen = world.seen(routing(1, 10))
    assert seen.impossible is Reason.ROUTER_NOT_SUPPORTED
    assert "other/support" in seen.message


@pytest.mark.parametrize(
    ("rules", "reason", "word"),
    [
        ([FILES], Reason.ROUTE_NOT_ACCEPTED, "chat"),
        ([rule("chat", "/")], Reason.ROUTER_NOT_SUPPORTED, "backendRefs"),
        (
            [rule("chat", "/", {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "p"})],
            Reason.ROUTER_NOT_SUPPORTED,
            "InferencePool",
        ),
        (
            [{**CHAT, "matches": [{"headers": [{"name": "x-fl-bucket", "value": "1"}]}]}],
            Reason.ROUTER_NOT_SUPPORTED,
            "bucketHeader",
        ),
        ([CHAT, *[rule(f"r{i}", f"/{i}") for i in range(13)]], Reason.ROUTER_NOT_SUPPORTED, "16"),
        ([{**CHAT, "matches": CHAT["matches"] * 50}], Reason.ROUTER_NOT_SUPPORTED, "150 more matches"),
    ],
)
def test_what_no_waiting_mends_is_said_at_once(rules: list[dict[str, object]], reason: Reason, word: str) -> None:
    seen = World(*rules).seen(routing(1, 10))
    assert seen.impossible is reason
    assert word in seen.message
    assert judge(seen, 10).standing is Standing.NOT_SUPPORTED
