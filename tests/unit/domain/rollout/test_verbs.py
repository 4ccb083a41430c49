"""What people ask: each verb, at the times it may come, and what it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, OTHER, World, rollout_spec

DECISION = {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}


def quiet(*steps: dict[str, Any], **changes: Any) -> World:
    """A world without guardrails, without votes and with pods that start at once: only the steps are at work."""
    given: dict[str, Any] = {"steps": [*steps, DECISION], "guardrails": [], "bakeSeconds": 10}
    return World(spec=rollout_spec(**(given | changes)), sessions_per_second=0, start_seconds=0)


def ticks(world: World, count: int) -> None:
    for _ in range(count):
        world.tick()


def finding(world: World, type_: str) -> tuple[bool | None, str, str] | None:
    assert world.last is not None
    found = next((c for c in world.last.conditions if c.type == type_), None)
    return None if found is None else (found.status, found.reason.value, found.message)


def test_pause_freezes_the_steps_and_resume_lets_them_go_on() -> None:
    world = quiet({"setWeight": 10}, {"setWeight": 50})
    world.run_until(weight=10)
    assert world.answer(Action.PAUSE)[0] is ActionResult.DONE
    ticks(world, 10)
    assert (world.status.weight, world.status.pause_reason) == (10, "Paused")
    assert finding(world, "Paused") == (True, "Paused", world.last.message if world.last else "")
    assert world.answer(Action.RESUME)[0] is ActionResult.DONE
    world.run_until(weight=50)
    assert world.status.paused_since is None
    assert world.status.paused_seconds >= 20
    assert finding(world, "Paused") == (False, "Running", "nothing freezes the steps")


def test_an_action_is_acted_on_once() -> None:
    """Also when its answer was lost and it is seen again."""
    world = quiet({"setWeight": 10}, {"pause": {}}, {"setWeight": 20}, {"pause": {}})
    world.run_until(step_index=1)
    world.answer(Action.PROMOTE)
    world.run_until(step_index=3)
    world.answers.clear()
    ticks(world, 3)
    assert world.status.step_index == 3
    assert world.answers["action-0"].result is ActionResult.DONE


def test_promote_ends_a_pause_step_and_the_next_step_follows() -> None:
    world = quiet({"setWeight": 10}, {"pause": {"durationSeconds": 600}}, {"setWeight": 20})
    world.run_until(step_index=1)
    assert world.answer(Action.PROMOTE) == (ActionResult.DONE, "the pause is over")
    world.run_until(weight=20)


def test_promote_ends_a_persons_pause_at_a_pause_step_together_with_the_step() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, {"setWeight": 20})
    world.run_until(step_index=1)
    world.answer(Action.PAUSE)
    world.answer(Action.PROMOTE)
    assert world.status.pause_reason == ""
    world.run_until(weight=20)


def test_promote_without_a_pause_is_void_and_says_what_would_help() -> None:
    world = quiet({"setWeight": 10})
    world.run_until(step_index=1)
    assert world.answer(Action.PROMOTE) == (ActionResult.VOID, "no pause is under way; PromoteFull skips all steps")
    assert world.status.actions == ()


def test_resume_ends_an_indefinite_pause_step_and_not_a_timed_one() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, {"pause": {"durationSeconds": 300}})
    world.run_until(step_index=1)
    assert world.answer(Action.RESUME)[0] is ActionResult.DONE
    assert world.status.step_index == 2
    assert world.answer(Action.RESUME) == (ActionResult.VOID, "nothing waits to be resumed")


@pytest.mark.parametrize("action", [Action.RESUME, Action.PROMOTE])
def test_a_declared_pause_is_ended_where_it_was_declared(action: Action) -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    world.paused = True
    assert world.answer(action) == (ActionResult.VOID, "spec.rollout.paused is true; set it to false")


def test_promote_full_skips_the_steps_and_still_waits_for_capacity_routing_and_baking() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.start_seconds = 20
    world.run_until(step_index=1)
    assert world.answer(Action.PROMOTE_FULL)[0] is ActionResult.DONE
    assert (world.status.weight, world.status.canary_replicas) == (10, 2)
    world.frozen_gateways = True
    world.run_until(weight=100)
    ticks(world, 10)
    assert world.status.baking_since is None
    world.frozen_gateways = False
    world.run_until(baking_since=True)
    ticks(world, 2)
    assert world.status.promoting_since is None
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.weights == [0, 10, 100, 0]


def test_promote_full_is_no_way_around_a_wrong_sample_ratio() -> None:
    world = World(seed=1, skew=0.3)
    world.run_until(step_index=3)
    while world.last is None or "SampleRatioMismatch" not in {f.reason for f in world.last.conditions}:
        world.tick()
    world.answer(Action.PROMOTE_FULL)
    ticks(world, 10)
    assert world.status.weight == 50


@pytest.mark.parametrize(
    "before",
    [
        {"step_index": 0},
        {"canary_awaited_since": True},
        {"weight": 10},
        {"step_index": 1},
        {"baking_since": True},
        {"promoting_since": True},
    ],
)
def test_abort_is_possible_at_any_time(before: dict[str, Any]) -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.start_seconds = 10
    world.run_until(**before) if "promoting_since" not in before and "baking_since" not in before else None
    if {"promoting_since", "baking_since"} & before.keys():
        world.run_until(step_index=1)
        world.ask(Action.PROMOTE_FULL)
        world.run_until(**before)
    assert world.answer(Action.ABORT, comment="the tone is wrong")[0] is ActionResult.DONE
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.weights[-1] == 0
    assert world.target.digest == CHAMPION
    assert world.status.abort is not None
    assert (world.status.abort.reason, world.status.abort.message) == (
        "Aborted",
        "ann@example.org aborted it: the tone is wrong",
    )


@pytest.mark.parametrize("frozen", ["paused", "suspended", "Pause", "freeze"])
def test_nothing_freezes_an_abort(frozen: str) -> None:
    freeze = {"kind": "Deny", "start": "20270101T000020", "durationSeconds": 6000}
    world = quiet({"setWeight": 10}, {"pause": {}}, windows=[freeze] if frozen == "freeze" else [])
    world.run_until(step_index=1)
    world.paused, world.suspended = frozen == "paused", frozen == "suspended"
    if frozen == "Pause":
        world.ask(Action.PAUSE)
    ticks(world, 12)
    assert world.answer(Action.ABORT)[0] is ActionResult.DONE
    assert world.run_until_end(120) is RunOutcome.ROLLED_BACK


def test_a_second_abort_changes_nothing_and_other_verbs_are_void() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    world.answer(Action.ABORT)
    epoch = world.status.epoch
    world.frozen_gateways = True
    assert world.answer(Action.ABORT)[0] is ActionResult.DONE
    assert world.status.epoch == epoch
    assert world.answer(Action.PROMOTE_FULL) == (ActionResult.VOID, "the candidate is being taken back: Aborted")


def test_a_verb_for_another_candidate_or_step_is_void() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    assert world.answer(Action.ABORT, digest=OTHER) == (
        ActionResult.VOID,
        f"it means another candidate; this run rolls out {CANDIDATE}",
    )
    assert world.answer(Action.PROMOTE, step_index=0) == (
        ActionResult.VOID,
        "it means step 0; the rollout is at step 1 (counted from 0)",
    )
    assert world.status.step_index == 1


def test_actions_are_taken_in_the_order_in_which_they_were_made() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, {"setWeight": 20}, {"pause": {}})
    world.run_until(step_index=1)
    late = world.ask(Action.PROMOTE, at="2027-01-01T00:00:30Z", step_index=1)
    early = world.ask(Action.PAUSE, at="2027-01-01T00:00:20Z")
    world.tick()
    assert world.status.actions[:2] == (early.uid, late.uid)
    assert world.status.pause_reason == ""


def test_the_uids_that_are_kept_are_bounded() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    for _ in range(80):
        world.ask(Action.PAUSE)
    world.tick()
    assert len(world.status.actions) == len(world.answers) == 64
    world.tick()
    assert len(world.status.actions) == 64
    assert len(world.answers) == 80


def test_a_verb_while_the_target_is_updated_is_void() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.start_seconds = 30
    world.run_until(step_index=1)
    world.ask(Action.PROMOTE_FULL)
    world.run_until(promoting_since=True)
    assert world.answer(Action.PAUSE) == (ActionResult.VOID, "the target is already being updated to the candidate")
