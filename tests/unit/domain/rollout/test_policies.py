"""Declared policies: the rollback window, an unhealthy stable arm, the level over the loop's life; and priorities."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action
from feedbackloop.domain.rollout import abort, approvals, evidence, guardrails, holds, pausing, steps, verbs, windows
from feedbackloop.domain.rollout.advance import RULES
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks
from tests.unit.domain.rollout.world import CANDIDATE, OTHER, Behaviour, World, rollout_spec


def test_a_candidate_that_was_champion_lately_needs_no_steps_and_still_bakes() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, bakeSeconds=60)
    world.promotions = (OTHER, CANDIDATE)
    world.run_until(baking_since=True)
    ticks(world, 10)
    assert world.status.promoting_since is None
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.weights == [0, 100, 0]
    assert [r.what for r in world.records].count("StepsSkipped") == 1


@pytest.mark.parametrize(("revisions", "promotions"), [(1, (OTHER, CANDIDATE)), (0, (CANDIDATE,)), (2, (OTHER,))])
def test_a_candidate_of_longer_ago_takes_the_steps(revisions: int, promotions: tuple[str, ...]) -> None:
    world = quiet({"setWeight": 10}, {"pause": {}}, rollbackWindow={"revisions": revisions})
    world.promotions = promotions
    world.run_until(step_index=1)
    ticks(world, 5)
    assert world.status.weight == 10


def test_a_rollback_is_still_taken_back_by_its_guardrails() -> None:
    world = World(seed=1, spec=rollout_spec(bakeSeconds=600), canary=Behaviour(errors=0.5))
    world.promotions = (CANDIDATE,)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK


def test_stable_that_is_not_whole_keeps_a_rollout_from_starting_and_says_so() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.target.broken = True
    ticks(world, 10)
    assert world.status.epoch == 0
    assert finding(world, "Promoted") == (
        False,
        "TargetUnavailable",
        "not every replica of the target is ready with the champion",
    )


def broken_stable(**policy: str) -> World:
    """Decided, then stable breaks while a pause is under way."""
    decided = [{"setWeight": 50}, {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}]
    world = World(seed=1, spec=rollout_spec(steps=[*decided, {"pause": {"durationSeconds": 20}}], **policy))
    world.run_until(step_index=2)
    world.target.broken = True
    return world


def test_a_decided_canary_may_take_over_from_a_broken_stable_by_policy() -> None:
    world = broken_stable(stableUnhealthyPolicy="PromoteIfCanaryHealthy")
    world.run_until(weight=100, baking_since=True)
    assert world.status.abort is None


def test_without_that_policy_it_waits() -> None:
    world = broken_stable()
    ticks(world, 40)
    assert world.status.weight == 50


def test_an_undecided_canary_never_takes_over() -> None:
    world = World(seed=1, canary=Behaviour(down=0.3), spec=rollout_spec(stableUnhealthyPolicy="PromoteIfCanaryHealthy"))
    world.run_until(step_index=1)
    world.target.broken = True
    ticks(world, 60)
    assert world.weights == [0, 10]


def test_the_level_over_the_loops_life_may_ask_for_more_evidence() -> None:
    world = World(seed=1, level="1e-9")
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert min(float(o.non_inferiority_e_value) for o in world.status.outcomes) >= 1e9


def test_a_level_that_fell_after_the_decision_is_met_before_the_promotion() -> None:
    world = World(seed=1, spec=rollout_spec(steps=[*rollout_spec().steps, {"approval": {}}]))
    world.run_until(step_index=4)
    world.level = "1e-9"
    world.ask(Action.APPROVE, digest=CANDIDATE, step_index=4)
    ticks(world, 2)
    found = finding(world, "Promoted")
    assert found is not None
    assert (found[1], world.status.weight) == ("LevelSpent", 50)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert min(float(o.non_inferiority_e_value) for o in world.status.outcomes) >= 1e9


def test_a_supersession_waits_for_a_target_that_can_carry_the_traffic() -> None:
    """I4: nobody is hurt by waiting, but users would be by a broken stable."""
    world = quiet({"setWeight": 50}, {"pause": {}})
    world.run_until(step_index=1)
    world.target.broken = True
    world.superseded = True
    ticks(world, 10)
    assert (world.status.weight, world.status.abort) == (50, None)
    world.target.broken = False
    assert world.run_until_end() is RunOutcome.SUPERSEDED


def test_an_abort_does_not_wait_for_it() -> None:
    world = quiet({"setWeight": 50}, {"pause": {}})
    world.run_until(step_index=1)
    world.target.broken = True
    world.answer(Action.ABORT)
    assert world.status.weight == 0


def test_the_rules_stand_in_the_order_of_their_priority() -> None:
    order = [
        verbs.take,
        abort.superseded,
        abort.take_back,
        guardrails.fails,
        evidence.harm,
        pausing.paused,
        holds.sample_ratio,
        holds.metrics_missing,
        holds.target_unavailable,
        windows.closed,
        steps.set_weight,
        approvals.approval,
    ]
    assert all(RULES.index(first) < RULES.index(second) for first, second in pairwise(order))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"suspended": True, "paused": True}, "Suspended"),
        ({"paused": True, "superseded": True}, "Superseded"),
        ({"paused": True, "reachable": False}, "Paused"),
    ],
)
def test_of_several_reasons_the_first_is_told(changes: dict[str, bool], reason: str) -> None:
    freeze = {"kind": "Deny", "start": "20270101T000020", "durationSeconds": 6000}
    world = quiet({"setWeight": 10}, {"pause": {}}, windows=[freeze])
    world.run_until(step_index=1)
    ticks(world, 12)
    assert finding(world, "Promoted") == (
        False,
        "OutsideWindow",
        "outside the declared windows until 2027-01-01T01:40:20Z: weight 10 stays",
    )
    for name, value in changes.items():
        setattr(world, name, value)
    world.tick()
    found = finding(world, "Promoted")
    assert found is not None
    assert found[1] == reason


class Crashing(World):
    """The operator dies after it has decided, before the status is written."""

    def tick_and_die(self) -> None:
        kept = self.status, list(self.records), self.outcome, list(self.weights), dict(self.answers)
        self.tick()
        self.status, self.records, self.outcome, self.weights, self.answers = kept


@given(deaths=st.lists(st.booleans(), min_size=120, max_size=120))
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_killed_at_any_time_it_comes_to_the_same_end(deaths: list[bool]) -> None:
    steps_ = [{"setCanaryScale": {"replicas": 2}}, {"setWeight": 10}, {"pause": {"durationSeconds": 10}}]
    spec = rollout_spec(steps=[*steps_, {"setWeight": 50}, {"approval": {}}, *rollout_spec().steps[3:]])
    world = Crashing(seed=1, spec=spec, sessions_per_second=3)
    for dies in deaths:
        if world.outcome is None:
            world.tick_and_die() if dies else world.tick()
        if world.status.step_index == 4 and not world.actions:
            world.ask(Action.APPROVE, digest=CANDIDATE, step_index=4)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert (world.status.weight, world.target.digest) == (0, CANDIDATE)
    assert world.weights == [0, 10, 50, 100, 0]
    assert len(world.status.approvals) == 1
