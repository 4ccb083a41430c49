"""Any mix of faults, at any time: the invariants I2 to I4 hold, a repeated step changes nothing, and the end is one.

The checks themselves run after every step of the world (`World._check`).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Step
from feedbackloop.api.rolloutaction import Action
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, OTHER, Behaviour, World, rollout_spec

MANY = 10 if os.environ.get("FEEDBACKLOOP_SIMULATIONS") else 1


class Rollouts(RuleBasedStateMachine):
    world: World

    @initialize(seed=st.integers(0, 1000), pods=st.integers(1, 3), down=st.sampled_from([0.05, 0.3, 0.6]))
    def start(self, seed: int, pods: int, down: float) -> None:
        spec = rollout_spec(maxDurationSeconds=900, bakeSeconds=10)
        self.world = World(seed, spec, canary=Behaviour(down=down), gateway_pods=pods, start_seconds=6)

    @rule(ticks=st.integers(1, 12))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.world.tick()

    @rule(reachable=st.booleans(), frozen=st.booleans())
    def gateways(self, reachable: bool, frozen: bool) -> None:
        self.world.reachable, self.world.frozen_gateways = reachable, frozen

    @rule()
    def gateways_forget(self) -> None:
        self.world.forget()

    @rule(seconds=st.integers(2, 40), broken=st.booleans())
    def canary_crashes(self, seconds: int, broken: bool) -> None:
        self.world.pods.ready, self.world.pods.ready_at = 0, self.world.second + seconds
        self.world.pods.broken = broken

    @rule(digest=st.sampled_from([CANDIDATE, OTHER]))
    def canary_is_tampered_with(self, digest: str) -> None:
        self.world.pods.digest = digest

    @rule(replicas=st.integers(0, 6), broken=st.booleans())
    def target_changes(self, replicas: int, broken: bool) -> None:
        self.world.target.replicas, self.world.target.broken = replicas, broken

    @rule(down=st.sampled_from([0.0, 0.1, 0.5]), errors=st.sampled_from([0.0, 0.0, 0.3]))
    def canary_behaves(self, down: float, errors: float) -> None:
        self.world.canary = Behaviour(down=down, errors=errors)

    @rule(errors=st.sampled_from([0.0, 0.3]), rated=st.sampled_from([0.2, 1.0]), skew=st.sampled_from([0.2, 1.0]))
    def surroundings(self, errors: float, rated: float, skew: float) -> None:
        self.world.stable, self.world.skew = Behaviour(errors=errors, rated=rated), skew

    @rule(suspended=st.booleans())
    def person_suspends(self, suspended: bool) -> None:
        self.world.suspended = suspended

    @rule(paused=st.booleans())
    def person_pauses_the_loop(self, paused: bool) -> None:
        self.world.paused = paused

    @rule(action=st.sampled_from([a for a in Action if a is not Action.RETRY]))
    def person_asks(self, action: Action) -> None:
        self.world.ask(action, digest=CANDIDATE, step_index=self.world.status.step_index)

    @rule(weight=st.sampled_from([None, 5, 60]))
    def person_edits_the_steps(self, weight: int | None) -> None:
        edited = Step.model_validate({"setWeight": weight or 10}), *self.world.spec.steps[1:]
        self.world.steps = None if weight is None else edited

    @rule()
    def person_declares_another_model(self) -> None:
        self.world.superseded = True

    @invariant()
    def no_ungated_traffic_and_no_promotion_without_evidence(self) -> None:
        status = self.world.status
        if self.world.outcome is not None:
            assert status.weight == 0
            assert status.canary_replicas == 0
        if status.promoting_since is not None:
            assert any(r.what in ("NonInferior", "StepsSkipped") for r in self.world.records)
            assert any(r.what == "Baking" for r in self.world.records)
        if status.abort is not None:
            assert self.world.outcome is not RunOutcome.PROMOTED

    def teardown(self) -> None:
        """Once the faults are over the rollout comes to an end, with the target on the right model."""
        if hasattr(self, "world"):
            self._heal()
            self._settle()

    def _heal(self) -> None:
        world = self.world
        world.reachable, world.frozen_gateways, world.suspended, world.paused = True, False, False, False
        world.ask(Action.RESUME)
        world.pods.broken = world.target.broken = False
        world.target.replicas = max(1, world.target.replicas)

    def _settle(self) -> None:
        world = self.world
        outcome = world.run_until_end(world.second + 1500)
        assert outcome is not None, world.last and world.last.message
        for _ in range(10):
            world.tick()
        promoted, superseded = CANDIDATE if outcome is RunOutcome.PROMOTED else CHAMPION, OTHER
        assert world.target.digest == (superseded if world.superseded else promoted)


def test_the_invariants_hold_under_any_mix_of_faults() -> None:
    run_state_machine_as_test(
        Rollouts,
        settings=settings(
            max_examples=10 * MANY,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_many_worlds_end_as_their_candidates_deserve() -> None:
    """The demo's case, driven through `advance`: better is promoted, worse is rolled back."""
    better = [World(seed).run_until_end() for seed in range(8 * MANY)]
    assert better.count(RunOutcome.PROMOTED) >= 0.95 * len(better)
    worse = [World(seed, stable=Behaviour(down=0.1), canary=Behaviour(down=0.3)) for seed in range(8 * MANY)]
    ends = [world.run_until_end() for world in worse]
    assert ends.count(RunOutcome.ROLLED_BACK) == len(ends)


def test_an_equal_candidate_is_rarely_rolled_back() -> None:
    spec = rollout_spec(maxDurationSeconds=150)
    ends = [World(seed, spec, canary=Behaviour(down=0.3)).run_until_end() for seed in range(8 * MANY)]
    assert ends.count(RunOutcome.ROLLED_BACK) <= max(1, 0.05 * len(ends))
