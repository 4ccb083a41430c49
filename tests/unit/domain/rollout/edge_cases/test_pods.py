"""Edge cases of pods: quotas, disruption budgets, spot nodes, and a target that others scale."""

from __future__ import annotations

import math

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks


def test_case_21_pods_that_a_budget_keeps_get_no_traffic_and_end_no_run() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    world.answer(Action.ABORT)
    world.run_until(draining_since=True)
    world.pods.scale = lambda *_: None  # type: ignore[method-assign]
    world.pods.replicas = 1
    ticks(world, 20)
    assert (world.outcome, world.status.weight) == (None, 0)
    assert finding(world, "Promoted") is not None
    assert world.last is not None
    assert world.last.message == "waiting for the canary's pods to end"
    world.pods.replicas = world.pods.ready = 0
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_case_21_a_quota_that_leaves_no_room_for_all_traffic_keeps_the_old_model_serving() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=60)
    world.target.replicas = 4
    world.run_until(step_index=1)
    world.pods.scale = lambda *_: None  # type: ignore[method-assign]
    world.ask(Action.PROMOTE_FULL)
    ticks(world, 20)
    assert world.status.weight == 10
    assert world.last is not None
    assert world.last.message == "waiting for 4 canary replicas with the candidate"
    world.run_until(abort=True)
    assert world.status.abort is not None
    assert world.status.abort.message == "1 of 4 canary replicas were ready with the candidate after 60 s"


@pytest.mark.parametrize("replicas", [1, 3, 10])
def test_case_19_the_canary_follows_a_target_that_others_scale_also_while_it_holds(replicas: int) -> None:
    world = quiet({"setWeight": 50}, {"pause": {}})
    world.run_until(step_index=1)
    world.paused = True
    world.target.replicas = replicas
    ticks(world, 3)
    assert world.status.canary_replicas == max(1, math.ceil(replicas / 2))


def test_case_20_a_slow_start_is_waited_for_until_its_deadline_and_said() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=600)
    world.start_seconds = 500
    ticks(world, 100)
    assert world.last is not None
    assert world.last.message == "waiting for 1 canary replicas with the candidate"
    world.run_until(step_index=1)


def test_case_40_a_target_that_is_gone_holds_and_nothing_is_promoted() -> None:
    world = quiet({"setWeight": 10}, {"pause": {"durationSeconds": 10}}, {"setWeight": 20}, {"pause": {}})
    world.run_until(step_index=1)
    world.target.replicas = world.target.ready = 0
    world.target.digest = None
    ticks(world, 20)
    assert (world.status.weight, world.status.step_index) == (10, 1)
    assert finding(world, "Promoted") == (
        False,
        "TargetUnavailable",
        "not every replica of the target is ready with the champion",
    )
