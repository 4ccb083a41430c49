"""Runs that wait, make room, are repeated, or are aborted before their rollout; and late votes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feedbackloop.api.improvementrun import ImprovementRunSpec, RunOutcome, StageState
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.domain.lifecycle.held_actions import HeldAction
from feedbackloop.domain.lifecycle.run_active import newest_waiting
from feedbackloop.domain.lifecycle.run_effects import AnswerAction, Create, DeleteJob
from feedbackloop.domain.lifecycle.run_seen import LoopSeen
from feedbackloop.domain.rollout.model import ActionSeen
from tests.support.fakeworld import declared
from tests.unit.domain.run import given

Json = dict[str, Any]


def loop(policy: str) -> LoopSeen:
    return given.loop(rollout=declared.rollout(newRevisionPolicy=policy))


def held(action: Action, name: str = "ask") -> HeldAction:
    return HeldAction(name, "7", 1, ActionSeen(uid=f"{name}-uid", action=action, user="alice", comment="wrong data"))


@pytest.mark.parametrize(
    ("policy", "newer", "outcome"),
    [
        ("Queue", None, None),
        ("Queue", "newest", RunOutcome.SKIPPED),
        ("Supersede", None, None),
        ("Supersede", "newest", RunOutcome.SKIPPED),
        ("Reject", None, RunOutcome.SKIPPED),
    ],
)
def test_a_run_that_is_blocked_waits_or_is_passed_over(
    policy: str, newer: str | None, outcome: RunOutcome | None
) -> None:
    decision = given.decided(given.new(loop=loop(policy), blocked_by="first", newer=newer))
    assert decision.status.outcome is outcome
    assert decision.status.inputs is None
    reason = "Queued" if outcome is None else "RunActive"
    assert given.condition(decision, "Reconciling" if outcome is None else "Ready") == ("True", reason)


def test_a_run_that_is_not_blocked_goes_whatever_waits() -> None:
    decision = given.decided(given.new(loop=loop("Reject"), newer="newest"))
    assert decision.status.inputs is not None


def raw(name: str, created: str, status: Json | None = None, improvement: str = "finetune") -> Json:
    metadata = {"name": name, "creationTimestamp": created}
    spec = {"loopName": "bot", "improvementName": improvement}
    return {"metadata": metadata, "spec": spec, "status": status or {}}


def test_the_newest_that_waits_and_could_go_on_is_found() -> None:
    active = raw("active", "2026-01-01T00:00:03Z", {"inputs": {}, "stage": "x"} | {"inputs": {"a": 1}})
    ended = raw("ended", "2026-01-01T00:00:09Z", {"outcome": "Promoted"})
    unknown = raw("unknown", "2026-01-01T00:00:08Z", improvement="nosuch")
    waiting = [raw("b", "2026-01-01T00:00:05Z"), raw("c", "2026-01-01T00:00:06Z"), raw("a", "2026-01-01T00:00:01Z")]
    found = newest_waiting([active, ended, unknown, *waiting], "bot", ["finetune"])
    assert found is not None
    assert found["metadata"]["name"] == "c"
    assert newest_waiting([active, ended], "bot", ["finetune"]) is None
    assert newest_waiting(waiting, "another", ["finetune"]) is None


def test_a_run_in_training_makes_room_at_once() -> None:
    seen = replace(given.curated(), superseded_by="newer")
    decision = given.decided(seen)
    assert decision.status.outcome is RunOutcome.SUPERSEDED
    assert "the newer run newer goes first" in decision.status.message
    assert decision.status.stages[-1].state is StageState.STOPPED
    assert any(isinstance(e, DeleteJob) for e in decision.effects)


def test_a_rollout_makes_room_by_its_own_order_and_not_once_the_target_is_updated() -> None:
    seen = replace(given.rolling_out(), superseded_by="newer")
    taken = given.decided(seen).status.rollout
    assert taken is not None
    assert taken.abort is not None
    assert taken.abort.reason == "Superseded"
    rollout = seen.status.rollout
    assert rollout is not None
    promoting = rollout.model_copy(update={"promoting_since": "2026-11-24T12:00:00Z", "weight": 100, "epoch": 3})
    kept = given.decided(replace(seen, status=seen.status.model_copy(update={"rollout": promoting}))).status.rollout
    assert kept is not None
    assert kept.abort is None


def test_an_abort_before_the_rollout_ends_the_run_and_everything_else_is_void() -> None:
    seen = replace(
        given.curated(), actions=(held(Action.PAUSE, "p"), held(Action.ABORT), held(Action.PROMOTE_FULL, "f"))
    )
    decision = given.decided(seen)
    assert (decision.status.outcome, given.condition(decision, "Ready")) == (RunOutcome.SKIPPED, ("True", "Aborted"))
    assert decision.status.message == 'Abort by alice ("wrong data") in RolloutAction ask'
    answers = {e.name: e.result for e in decision.effects if isinstance(e, AnswerAction)}
    assert answers == {"p": ActionResult.VOID, "ask": ActionResult.DONE, "f": ActionResult.VOID}
    assert any(isinstance(e, DeleteJob) for e in decision.effects)


def test_a_run_that_waits_can_be_aborted_too() -> None:
    decision = given.decided(given.new(blocked_by="first", actions=(held(Action.ABORT),)))
    assert decision.status.outcome is RunOutcome.SKIPPED


@pytest.mark.parametrize("action", [a for a in Action if a not in (Action.ABORT, Action.RETRY)])
def test_what_is_asked_too_early_changes_nothing(action: Action) -> None:
    quiet, seen = given.curated(), replace(given.curated(), actions=(held(action),))
    decision = given.decided(seen)
    assert decision.status == given.decided(quiet).status
    assert [e.result for e in decision.effects if isinstance(e, AnswerAction)] == [ActionResult.VOID]


def again(**changes: Any) -> Any:
    spec = ImprovementRunSpec(loop_name="bot", improvement_name="finetune", retry_of="first")
    before = given.evaluated().status.model_copy(update={"outcome": RunOutcome.ROLLED_BACK})
    return given.new(spec=spec, **{"retried": before, **changes})


def test_a_run_that_is_repeated_brings_everything_but_its_rollout() -> None:
    seen = again()
    decision = given.decided(seen)
    status, before = decision.status, seen.retried
    assert (status.candidate, status.gates, status.stages) == (before.candidate, before.gates, before.stages)
    assert status.inputs.cut == before.inputs.cut
    assert status.rollout is None
    assert given.condition(decision, "GatesPassed") == ("True", "AllPassed")
    assert not [e for e in decision.effects if isinstance(e, Create)]


def test_the_rules_of_a_repeated_rollout_are_those_of_today() -> None:
    today = given.loop(rollout=declared.rollout(bakeSeconds=77))
    pinned = given.decided(again(loop=today)).status.inputs
    assert pinned is not None
    assert '"bakeSeconds":77' in pinned.pinned_spec


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retried": None}, "there is no ImprovementRun first here"),
        ({"retried": given.evaluated().status}, "still under way"),
        ({"retried": given.trained().status.model_copy(update={"outcome": RunOutcome.FAILED})}, "did not pass"),
    ],
)
def test_a_run_that_cannot_be_repeated_is_skipped(changes: Json, why: str) -> None:
    decision = given.decided(again(**changes))
    assert (decision.status.outcome, given.condition(decision, "Ready")) == (
        RunOutcome.SKIPPED,
        ("True", "InvalidSpec"),
    )
    assert why in decision.status.message
