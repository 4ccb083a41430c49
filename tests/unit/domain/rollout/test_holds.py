from __future__ import annotations

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from tests.unit.domain.rollout.world import Behaviour, World, rollout_spec


def condition(world: World, type_: str) -> tuple[bool | None, str]:
    assert world.last is not None
    found = next(c for c in world.last.conditions if c.type == type_)
    return found.status, found.reason.value


def ticks(world: World, count: int) -> None:
    for _ in range(count):
        world.tick()


@pytest.mark.parametrize("step", [1, 3])
def test_unreachable_gateways_hold_and_the_rollout_goes_on_after_them(step: int) -> None:
    world = World(seed=1)
    world.run_until(step_index=step)
    before = world.status
    world.reachable = False
    ticks(world, 60)
    assert world.status == before
    assert condition(world, "MetricsAvailable") == (None, "GatewayUnavailable")
    assert condition(world, "RoutingReady") == (None, "GatewayUnavailable")
    world.reachable = True
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_unreachable_gateways_hold_a_bake() -> None:
    world = World(seed=1)
    world.run_until(baking_since=True)
    world.reachable = False
    ticks(world, 60)
    assert (world.status.promoting_since, world.status.abort) == (None, None)


def test_a_gateway_that_does_not_apply_the_epoch_holds() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    world.frozen_gateways = True
    world.run_until(weight=50)
    ticks(world, 30)
    assert (world.status.step_index, world.status.epoch_started_at) == (2, None)
    assert condition(world, "RoutingReady") == (False, "WeightApplying")


def test_missing_measurements_hold() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    for _ in range(40):
        world.latency.clear()
        world._answer = lambda key, behaviour: world.traffic[key].__setitem__(0, world.traffic[key][0] + 1)  # type: ignore[method-assign]
        world.tick()
    assert world.weights == [0, 10]
    assert condition(world, "MetricsAvailable") == (False, "MetricsMissing")


def test_a_wrong_sample_ratio_holds_until_the_end() -> None:
    world = World(seed=1, skew=0.3, spec=rollout_spec(maxDurationSeconds=400))
    world.run_until(step_index=3)
    ticks(world, 60)
    assert condition(world, "SampleRatioOK") == (False, "SampleRatioMismatch")
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE


def test_an_arm_that_is_hardly_rated_holds() -> None:
    world = World(seed=1, canary=Behaviour(down=0.1, rated=0.2), spec=rollout_spec(maxDurationSeconds=400))
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert condition(world, "RatedShareOK") == (False, "RatedShareUneven")


def test_a_better_candidate_may_draw_fewer_votes() -> None:
    world = World(seed=1, canary=Behaviour(down=0.1, rated=0.7))
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_suspension_freezes_the_steps() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    world.suspended = True
    ticks(world, 60)
    assert (world.weights, world.status.step_index) == ([0, 10], 1)
    assert condition(world, "Promoted") == (False, "Suspended")
    world.suspended = False
    assert world.run_until_end() is RunOutcome.PROMOTED


@pytest.mark.parametrize("canary", [Behaviour(errors=0.5), Behaviour(down=0.9)])
def test_suspension_does_not_freeze_what_takes_back(canary: Behaviour) -> None:
    world = World(seed=1, stable=Behaviour(down=0.1))
    world.run_until(weight=50, epoch_started_at=True) if canary.errors == 0 else world.run_until(step_index=1)
    world.canary = canary
    world.suspended = True
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_suspension_stops_the_clocks() -> None:
    world = World(seed=1, spec=rollout_spec(maxDurationSeconds=300))
    world.run_until(step_index=1)
    world.suspended = True
    ticks(world, 200)
    assert (world.outcome, world.status.abort) == (None, None)


def test_no_step_while_the_target_is_not_whole() -> None:
    world = World(seed=1)
    world.run_until(step_index=1)
    world.target.broken = True
    ticks(world, 60)
    assert world.weights == [0, 10]
    assert condition(world, "Promoted") == (False, "TargetUnavailable")
    world.target.broken = False
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_messages_of_conditions_change_only_with_a_look_or_a_fact() -> None:
    """Otherwise a rollout that waits would write its status at every poll."""
    world = World(seed=1, canary=Behaviour(down=0.3))
    world.run_until(step_index=3)
    seen = set()
    for _ in range(60):
        world.tick()
        assert world.last is not None
        seen.add((len(world.status.looks), world.last.conditions))
    assert len(seen) == len({looks for looks, _ in seen})
