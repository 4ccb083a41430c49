from __future__ import annotations

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from tests.unit.domain.rollout.world import CANDIDATE, OTHER, World, rollout_spec


def crash(world: World, seconds: float = 10) -> None:
    world.pods.ready, world.pods.ready_at = 0, world.second + seconds


def test_an_unavailable_canary_loses_its_traffic_and_gets_it_back_as_a_new_epoch() -> None:
    world = World(seed=1)
    world.run_until(step_index=3, weight=50)
    epoch = world.status.epoch
    crash(world)
    world.tick()
    assert (world.status.weight, world.status.resume_weight, world.status.epoch) == (0, 50, epoch + 1)
    world.run_until(weight=50)
    assert (world.status.epoch, world.status.resume_weight, world.status.step_index) == (epoch + 2, None, 3)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.status.instabilities == 1


def test_a_slow_reaction_to_a_lost_canary_does_not_spoil_the_sample_ratio() -> None:
    world = World(seed=1, start_seconds=4)
    world.run_until(step_index=3, weight=50)
    crash(world, seconds=20)
    for _ in range(9):
        world.second += world.tick_seconds
        world._serve()
    world.tick()
    assert world.status.weight == 0
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_the_third_time_takes_it_back() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    for _ in range(3):
        world.run_until(weight=10)
        crash(world)
        world.tick()
    assert world.status.abort is not None and world.status.abort.reason == "CanaryUnstable"
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_a_canary_that_does_not_come_back_is_taken_back_at_the_deadline() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    world.pods.broken = True
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None and world.status.abort.reason == "CanaryUnavailable"


def test_a_bake_starts_anew_after_the_canary_was_away() -> None:
    world = World(seed=1)
    world.run_until(baking_since=True)
    first = world.status.baking_since
    crash(world)
    world.tick()
    assert (world.status.weight, world.status.baking_since) == (0, None)
    world.run_until(baking_since=True)
    assert world.status.baking_since != first
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_while_the_target_is_updated_it_takes_over_from_a_lost_canary() -> None:
    world = World(seed=1, start_seconds=30)
    world.run_until(promoting_since=True)
    world._actuate()
    crash(world, seconds=1000)
    world.tick()
    assert (world.status.weight, world.status.resume_weight, world.status.abort) == (0, None, None)
    world.run_until(draining_since=True)
    world.pods.ready_at = 0
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_an_ungated_model_in_the_canary_gets_no_traffic() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    world.pods.digest = OTHER
    world.tick()
    assert world.status.weight == 0
    world.pods.digest = CANDIDATE
    world.run_until(weight=10)


def test_pods_that_only_claim_to_be_ready_are_unavailable() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    key = (0, world.status.epoch, next(a for _, _, a in world.traffic if a.value == "canary"))
    world.traffic[key][2] = world.traffic[key][0] + 21
    world.advance()
    assert world.status.weight == 0


@pytest.mark.parametrize("never", [True, False])
def test_a_canary_that_never_starts_gets_no_traffic(never: bool) -> None:
    world = World(seed=1, start_seconds=10_000 if never else 100, spec=rollout_spec(progressDeadlineSeconds=120))
    world.run_until_end(200)
    assert (world.status.abort is not None) is never
    if world.status.abort:
        assert world.status.abort.reason == "CanaryUnavailable"
        assert world.weights == [0]
