from __future__ import annotations

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, OTHER, Behaviour, World, rollout_spec

GOOD, BAD = Behaviour(down=0.1), Behaviour(down=0.3)


def reason(world: World) -> str:
    assert world.status.abort is not None
    return world.status.abort.reason


def test_a_harmful_candidate_is_rolled_back() -> None:
    world = World(seed=1, stable=GOOD, canary=BAD)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert reason(world) == "HarmFound"
    assert world.weights[-1] == 0
    assert world.target.digest == CHAMPION
    assert world.pods.replicas == 0


def test_traffic_leaves_everywhere_before_the_canary_shrinks() -> None:
    world = World(seed=1, stable=GOOD, canary=BAD)
    world.run_until(abort=True)
    assert (world.status.weight, world.status.canary_replicas > 0) == (0, True)
    world.frozen_gateways = True
    for _ in range(30):
        world.tick()
    assert world.status.canary_replicas > 0
    assert world.outcome is None
    world.frozen_gateways = False
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_an_abort_waits_for_gateways_that_do_not_answer() -> None:
    world = World(seed=1, stable=GOOD, canary=BAD)
    world.run_until(abort=True)
    world.reachable = False
    for _ in range(30):
        world.tick()
    assert world.status.canary_replicas > 0
    world.reachable = True
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


@pytest.mark.parametrize("second", [0, 11, 30, 60])
def test_another_declared_model_supersedes_at_any_time(second: int) -> None:
    world = World(seed=1, canary=BAD)
    while world.second < second:
        world.tick()
    world.superseded = True
    world.tick()
    assert world.status.weight == 0
    assert world.run_until_end() is RunOutcome.SUPERSEDED
    assert world.champion == OTHER


@pytest.mark.parametrize("phase", ["baking_since", "promoting_since", "moved_back_since", "draining_since"])
def test_another_declared_model_supersedes_a_promotion(phase: str) -> None:
    world = World(seed=1)
    world.run_until(**{phase: True})
    world.superseded = True
    assert world.run_until_end() is RunOutcome.SUPERSEDED
    assert world.status.weight == 0


def test_late_votes_abort_while_baking() -> None:
    """The last sessions of the 50/50 epoch turn out bad while the canary already bakes."""
    world = World(seed=1, window_seconds=15, spec=rollout_spec(bakeSeconds=600))
    world.run_until(step_index=3)
    world.canary = Behaviour(down=1.0)
    world.stable = Behaviour(down=0.0)
    world.run_until(abort=True)
    assert reason(world) == "HarmFound"
    assert world.status.promoting_since is None


def test_a_guardrail_that_fails_while_baking_returns_to_the_warm_model() -> None:
    world = World(seed=1)
    world.run_until(baking_since=True)
    world.canary = Behaviour(errors=0.5)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert reason(world) == "GuardrailFailed"
    assert world.weights[-2:] == [100, 0]
    assert world.target.digest == CHAMPION


def test_a_guardrail_that_fails_while_the_target_is_updated_undoes_the_update() -> None:
    world = World(seed=1, start_seconds=60, spec=rollout_spec(progressDeadlineSeconds=300))
    world.run_until(promoting_since=True)
    world.canary = Behaviour(errors=0.9)
    world.run_until(abort=True)
    assert world.target.digest == CANDIDATE
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    observed = world.target.observed(world.second)
    assert (observed.digest, observed.ready) == (CHAMPION, observed.replicas)


def test_traffic_stays_on_the_canary_while_the_target_cannot_carry_it() -> None:
    world = World(seed=1)
    world.run_until(promoting_since=True)
    world.target.broken = True
    world.canary = Behaviour(errors=0.9)
    world.run_until(abort=True)
    for _ in range(10):
        world.tick()
    assert world.status.weight == 100
    world.target.broken = False
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_an_ended_rollout_says_the_same_again() -> None:
    world = World(seed=1, stable=GOOD, canary=BAD)
    world.run_until_end()
    records = len(world.records)
    assert world.advance().outcome is RunOutcome.ROLLED_BACK
    assert len(world.records) == records
