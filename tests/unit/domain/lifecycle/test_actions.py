"""What becomes of an action, by the run that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feedbackloop.api.conditions import Condition, ConditionStatus
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.api.improvementrun import DecisionRecord, ImprovementRunSpec, ImprovementRunStatus, RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult, RolloutActionSpec, RolloutActionStatus
from feedbackloop.domain.lifecycle.action_decide import UNANSWERED_SECONDS, ActionDecision, decide
from feedbackloop.domain.lifecycle.action_seen import ActionObservation, OtherRun, RunOfAction
from feedbackloop.domain.lifecycle.retried import next_name
from feedbackloop.domain.lifecycle.run_seen import LoopSeen
from tests.support import loops
from tests.unit.domain.lifecycle.loop_world import BASE, CANDIDATE, OTHER, role, rollout, run

PASSED = Condition(
    type="GatesPassed", status=ConditionStatus.TRUE, reason="AllPassed", last_transition_time="2026-01-01T00:00:00Z"
)
ENDED: dict[str, Any] = {"outcome": RunOutcome.ROLLED_BACK, "conditions": (PASSED,)}
LOOP = LoopSeen(uid=loops.LOOP.uid, spec=loops.spec(), status=FeedbackLoopStatus(champion=role(BASE)))


def the_run(**status: Any) -> RunOfAction:
    full: ImprovementRunStatus = run(**status).status
    spec = ImprovementRunSpec(loop_name=loops.LOOP.name, improvement_name="finetune")
    return RunOfAction(namespace="ml", name="r", uid="run-uid", spec=spec, status=full)


def seen(action: Action = Action.ABORT, **changes: Any) -> ActionObservation:
    spec = RolloutActionSpec(run_name="r", action=action, user="alice")
    found = ActionObservation(
        name="ask", uid="ask-uid", generation=1, created="2026-01-01T00:00:00Z", spec=spec, status=RolloutActionStatus()
    )
    return replace(found, **{"run": the_run(), "loop": LOOP, **changes})


def retry(**changes: Any) -> ActionDecision:
    return decide(seen(Action.RETRY, **{"run": the_run(**ENDED), **changes}))


def test_an_action_is_given_to_its_run_which_answers_it() -> None:
    first = decide(seen())
    assert (first.own, first.result, first.requeue_seconds) == (the_run(), None, UNANSWERED_SECONDS)
    assert decide(seen(owners=frozenset({"run-uid"}))).own is None


@pytest.mark.parametrize("result", ActionResult)
def test_an_answered_action_is_never_touched_again(result: ActionResult) -> None:
    assert decide(seen(status=RolloutActionStatus(result=result))) == ActionDecision()


def test_an_action_for_a_run_that_is_not_there_is_void() -> None:
    for absent in (None, replace(the_run(), leaving=True)):
        found = decide(seen(run=absent))
        assert (found.result, found.own, found.create) == (ActionResult.VOID, None, None)
        assert "no ImprovementRun r" in found.message


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.RETRY])
def test_whatever_comes_after_the_end_is_void(action: Action) -> None:
    spec = seen().spec.model_copy(update={"action": action})
    found = decide(seen(spec=spec, run=the_run(**ENDED)))
    assert found.result is ActionResult.VOID
    assert "has ended (RolledBack)" in found.message


def test_what_was_acted_on_before_the_end_is_done_though_its_answer_was_lost() -> None:
    in_rollout = the_run(**ENDED, rollout=rollout(actions=("ask-uid",)))
    assert decide(seen(run=in_rollout)).result is ActionResult.DONE
    record = DecisionRecord(at="2026-01-01T00:00:00Z", what="Aborted", why="Abort by alice in RolloutAction ask")
    assert decide(seen(run=the_run(**ENDED, decisions=(record,)))).result is ActionResult.DONE
    other = record.model_copy(update={"why": "Abort by alice in RolloutAction task"})
    assert decide(seen(run=the_run(**ENDED, decisions=(other,)))).result is ActionResult.VOID


def test_a_retry_makes_a_run_that_belongs_to_the_loop_and_knows_its_action() -> None:
    found = retry()
    assert found.create is not None
    metadata = found.create["metadata"]
    assert (metadata["name"], metadata["ownerReferences"][0]["uid"]) == ("r-r1", loops.LOOP.uid)
    assert metadata["annotations"] == {"feedbackloop.dev/action": "ask-uid"}
    assert found.create["spec"] == {"loopName": loops.LOOP.name, "improvementName": "finetune", "retryOf": "r"}
    assert (found.result, "r-r1" in found.message) == (ActionResult.DONE, True)


def test_a_retry_that_has_made_its_run_makes_no_second_one() -> None:
    found = retry(others=(OtherRun("r", ""), OtherRun("r-r4", "ask-uid")))
    assert (found.create, found.result) == (None, ActionResult.DONE)
    assert "r-r4" in found.message


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"run": the_run()}, "still under way"),
        ({"run": the_run(outcome=RunOutcome.GATED)}, "did not pass"),
        ({"run": the_run(outcome=RunOutcome.FAILED, candidate=None)}, "no candidate"),
        ({"loop": None}, "is gone"),
        ({"loop": replace(LOOP, uid="another")}, "is gone"),
        ({"loop": replace(LOOP, deleting=True)}, "is gone"),
        ({"loop": replace(LOOP, status=FeedbackLoopStatus(champion=role(CANDIDATE)))}, "is the champion"),
        ({"loop": replace(LOOP, status=FeedbackLoopStatus(champion=role(OTHER)))}, "the champion is eeeeeeeeeeee now"),
    ],
)
def test_a_retry_that_makes_no_sense_is_void_with_the_reason(changes: dict[str, Any], why: str) -> None:
    found = retry(**changes)
    assert (found.result, found.create) == (ActionResult.VOID, None)
    assert why in found.message


@pytest.mark.parametrize(
    ("name", "taken", "next_"),
    [("r", [], "r-r1"), ("r", ["r", "r-r1"], "r-r2"), ("r-r1", ["r", "r-r1"], "r-r2"), ("a-r10", ["a-r1"], "a-r2")],
)
def test_retries_count_on(name: str, taken: list[str], next_: str) -> None:
    assert next_name(name, taken) == next_
