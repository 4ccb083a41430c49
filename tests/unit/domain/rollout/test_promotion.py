from __future__ import annotations

import pytest

from feedbackloop.api.gateway import Arm
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutstatus import Verdict
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, Behaviour, World, rollout_spec


def test_a_better_candidate_is_promoted_in_the_declared_order() -> None:
    world = World(seed=1)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.weights == [0, 10, 50, 100, 0]
    assert [r.what for r in world.records] == [
        "WeightApplying",
        "WithinLimits",
        "WeightApplying",
        "NonInferior",
        "WeightApplying",
        "Baking",
        "UpdatingTarget",
        "WeightApplying",
        "Draining",
    ]
    assert world.target.digest == CANDIDATE
    assert world.pods.replicas == 0
    assert world.status.abort is None


def test_the_decision_carries_its_numbers() -> None:
    world = World(seed=1)
    world.run_until_end()
    why = next(r.why for r in world.records if r.what == "NonInferior")
    for number in ("non-inferiority e-value", "bound 20", "ratio between", "events/units stable", "errors: canary 0 %"):
        assert number in why


@pytest.mark.parametrize("pods", [1, 3])
def test_several_gateway_pods_count_together(pods: int) -> None:
    world = World(seed=2, gateway_pods=pods)
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_the_canary_has_the_capacity_before_it_has_the_weight() -> None:
    world = World(seed=1)
    world.target.replicas = 5
    replicas: dict[int, int] = {}
    while world.run_until_end(world.second + world.tick_seconds) is None:
        replicas.setdefault(world.status.weight, world.pods.observed(world.second).ready)
    assert (replicas[10], replicas[50], replicas[100]) == (1, 3, 5)


def test_the_target_runs_the_old_model_until_the_bake_is_over() -> None:
    world = World(seed=1)
    world.run_until(baking_since=True)
    began = world.second
    while world.status.promoting_since is None:
        assert world.target.digest == CHAMPION
        assert world.status.weight == 100
        world.tick()
    assert world.second - began >= world.spec.bake_seconds


def test_traffic_moves_back_only_to_a_target_that_is_whole() -> None:
    world = World(seed=1)
    world.run_until(promoting_since=True)
    while world.status.moved_back_since is None:
        assert world.status.weight == 100
        world.tick()
    target = world.target.observed(world.second)
    assert (target.ready, target.digest) == (target.replicas, CANDIDATE)
    assert world.status.canary_replicas > 0
    world.run_until(draining_since=True)
    assert all(r.weight == 0 for r in world.routings)


def test_the_target_that_never_gets_ready_keeps_the_canary_serving() -> None:
    world = World(seed=1)
    world.run_until(promoting_since=True)
    world._actuate()
    world.target.updated_at = float("inf")
    for _ in range(200):
        world.tick()
    assert world.status.weight == 100
    assert world.outcome is None
    assert world.last is not None and "ready with the candidate" in world.last.message


def test_a_decision_needs_the_declared_number_of_rated_units() -> None:
    outcomes = [{"name": "downvotes", "signal": "helpful", "attributionWindowSeconds": 15, "minRatedUnits": 700}]
    world = World(seed=1, spec=rollout_spec(outcomes=outcomes))
    world.run_until(step_index=4)
    status = world.status.outcomes[0]
    assert status.verdict is Verdict.SUCCESSFUL
    assert status.stable.rated + status.canary.rated >= 700


def test_an_equal_candidate_stays_inconclusive_and_loses_its_traffic() -> None:
    world = World(seed=1, canary=Behaviour(down=0.3), spec=rollout_spec(maxDurationSeconds=200))
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.weights == [0, 10, 50, 0]
    assert world.target.digest == CHAMPION


def test_no_votes_at_all_promote_nothing() -> None:
    silent = Behaviour(rated=0.0)
    world = World(seed=1, stable=silent, canary=silent, spec=rollout_spec(maxDurationSeconds=200))
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE


def test_no_traffic_at_all_promotes_nothing() -> None:
    world = World(seed=1, sessions_per_second=0, spec=rollout_spec(maxDurationSeconds=200))
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.weights == [0, 10, 0]


def test_a_bake_without_requests_does_not_pass() -> None:
    world = World(seed=1, spec=rollout_spec(maxDurationSeconds=300))
    world.run_until(baking_since=True)
    world.sessions_per_second = 0
    world.traffic.clear()
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.status.promoting_since is None


def test_an_analysis_without_a_decision_needs_rated_units_only() -> None:
    steps = [
        {"setWeight": 10},
        {"analysis": {"outcomeNames": ["downvotes"]}},
        {"setWeight": 50},
        {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
    ]
    world = World(seed=1, canary=Behaviour(down=0.3), spec=rollout_spec(steps=steps))
    world.run_until(step_index=2)
    assert world.status.outcomes[0].verdict is Verdict.INCONCLUSIVE
    assert world.status.outcomes[0].stable.rated >= 50


def test_a_weight_may_be_repeated_or_lowered_by_the_steps() -> None:
    decision = {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}
    steps = [{"setWeight": 50}, {"setWeight": 50}, {"setWeight": 20}, decision]
    world = World(seed=1, spec=rollout_spec(steps=steps))
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.weights == [0, 50, 20, 100, 0]


def test_a_gateway_that_loses_its_memory_delays_and_never_double_counts() -> None:
    world = World(seed=4)
    world.run_until(step_index=3)
    before = world.status.looks
    world.forget()
    for _ in range(5):
        world.tick()
    assert world.status.looks == before
    assert world.run_until_end() is RunOutcome.PROMOTED
    seen = sum(x.stable.units + x.canary.units for x in world.status.looks)
    assert seen <= world.sessions_per_second * world.second
    assert all(x.canary.events <= x.canary.rated <= x.canary.units for x in world.status.looks)


def test_late_votes_of_an_old_epoch_still_count_there() -> None:
    world = World(seed=1)
    world.run_until(step_index=3)
    for _ in range(10):
        world.tick()
    epochs = {look.epoch for look in world.status.looks}
    assert {1, 2} <= epochs
    assert {(p, e) for p, e, a in world.units if a is Arm.CANARY} >= {(0, 1), (0, 2)}
