"""What a pause freezes, what it does not, and which clocks it stops."""

from __future__ import annotations

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action, ActionResult
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks
from tests.unit.domain.rollout.world import Behaviour, World, rollout_spec


def test_a_declared_pause_freezes_the_steps_where_they_are() -> None:
    world = quiet({"setWeight": 10}, {"setWeight": 50}, {"pause": {}})
    world.run_until(weight=10)
    world.paused = True
    ticks(world, 10)
    assert world.weights == [0, 10]
    assert finding(world, "Paused") == (
        True,
        "Paused",
        "spec.rollout.paused is true: the steps are frozen, guardrails still abort",
    )
    world.paused = False
    world.run_until(weight=50)


@pytest.mark.parametrize("canary", [Behaviour(errors=0.5), Behaviour(down=0.9)])
def test_a_pause_does_not_freeze_what_takes_back(canary: Behaviour) -> None:
    world = World(seed=1, stable=Behaviour(down=0.1))
    world.run_until(step_index=1, weight=10)
    world.canary = canary
    world.paused = True
    assert world.run_until_end(1500) is RunOutcome.ROLLED_BACK
    assert world.weights == [0, 10, 0]


def test_an_unavailable_canary_loses_its_traffic_in_a_pause_and_gets_it_back_after_it() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    world.paused = True
    world.pods.broken = True
    ticks(world, 2)
    assert world.status.weight == 0
    world.pods.broken = False
    ticks(world, 10)
    assert world.status.weight == 0
    world.paused = False
    world.run_until(weight=10)


def test_paused_time_does_not_count_for_max_duration() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, maxDurationSeconds=100)
    world.run_until(step_index=1)
    for _ in range(3):
        world.paused = True
        ticks(world, 40)
        world.paused = False
        ticks(world, 5)
    assert world.status.abort is None
    assert world.status.paused_seconds == pytest.approx(3 * 80, abs=6)
    assert world.run_until_end(1000) is RunOutcome.INCONCLUSIVE
    assert world.second == pytest.approx(100 + world.status.paused_seconds, abs=10)


def test_after_max_duration_it_can_also_wait_for_a_person_who_gives_it_as_much_again() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, maxDurationSeconds=100, onTimeout="Pause")
    world.run_until(pause_reason="MaxDuration")
    assert world.status.weight == 10
    assert world.answer(Action.RESUME)[0] is ActionResult.DONE
    resumed = world.second
    ticks(world, 40)
    assert world.status.pause_reason == ""
    world.run_until(pause_reason="MaxDuration")
    assert world.second - resumed == pytest.approx(100, abs=6)


def test_the_progress_deadline_exempts_pauses_analyses_and_a_person() -> None:
    """It is the canary that must come up in time, not people or evidence."""
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=30)
    world.run_until(step_index=1)
    ticks(world, 60)
    world.ask(Action.PROMOTE)
    ticks(world, 60)
    assert (world.status.abort, world.status.step_index) == (None, 2)


def test_a_pause_stops_the_progress_deadline_and_the_canary_has_it_anew() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=30)
    world.start_seconds = 1000
    world.run_until(canary_awaited_since=True)
    world.paused = True
    ticks(world, 60)
    world.paused = False
    ticks(world, 12)
    assert world.status.abort is None
    ticks(world, 8)
    assert world.status.abort is not None
    assert world.status.abort.reason == "CanaryUnavailable"


def test_a_weight_that_is_not_applied_in_time_is_taken_back() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=30)
    world.frozen_gateways = True
    world.run_until(weight=10)
    world.run_until(abort=True)
    assert world.status.abort is not None
    assert (world.status.abort.reason, world.status.weight) == ("RouteNotAccepted", 0)


def test_gateways_that_do_not_answer_are_an_outage_and_no_deadline() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, progressDeadlineSeconds=30)
    world.frozen_gateways = True
    world.run_until(weight=10)
    world.reachable = False
    ticks(world, 60)
    assert world.status.abort is None


def test_a_timed_pause_step_goes_on_by_itself_once_and_says_until_when() -> None:
    world = quiet({"setWeight": 10}, {"pause": {"durationSeconds": 60}}, {"setWeight": 20}, {"pause": {}})
    world.run_until(step_index=1)
    began = world.second
    ticks(world, 3)
    messages = set()
    while world.status.step_index == 1:
        found = finding(world, "Paused")
        assert found is not None
        messages.add(found)
        world.tick()
    assert len(messages) == 1
    assert next(iter(messages))[:2] == (True, "PauseStep")
    assert world.second - began == pytest.approx(60, abs=4)
    world.run_until(weight=20)


def test_no_step_is_taken_over_a_long_silence_of_the_operator() -> None:
    """A late timer fires once: the pause is over, and the next step is waited for as always."""
    world = quiet({"setWeight": 10}, {"pause": {"durationSeconds": 60}}, {"setWeight": 20}, {"pause": {}})
    world.run_until(step_index=1)
    world.second += 3000
    ticks(world, 10)
    assert (world.status.step_index, world.weights) == (3, [0, 10, 20])


def test_a_wrong_sample_ratio_pauses() -> None:
    world = World(seed=1, skew=0.3, spec=rollout_spec(maxDurationSeconds=400))
    world.run_until(step_index=3)
    ticks(world, 40)
    found = finding(world, "Paused")
    assert found is not None
    assert found[:2] == (True, "SampleRatioMismatch")
