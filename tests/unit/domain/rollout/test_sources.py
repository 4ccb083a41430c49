"""A guardrail whose numbers come from another source, in the simulated world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import QueryStatus
from feedbackloop.domain.rollout import RolloutObservation
from feedbackloop.domain.rollout.queries import QuerySeen, questions
from tests.unit.domain.rollout.world import World, rollout_spec


def spec(**source: Any) -> Rollout:
    prometheus = {"endpointName": "prom", "query": "x{arm='$arm'}", "intervalSeconds": 5} | source
    guardrail = {"name": "gpu", "metric": "Prometheus", "maxValue": "0.5", "minRequests": 20, "prometheus": prometheus}
    return rollout_spec(guardrails=[guardrail], maxDurationSeconds=100_000)


@dataclass
class SourcedWorld(World):
    """With a source that says the same number for each arm until the test changes it."""

    spec: Rollout = field(default_factory=spec)
    numbers: tuple[str, str] = ("0.1", "0.1")
    requests: int | None = None
    error: str = ""

    @property
    def observation(self) -> RolloutObservation:
        seen = (self._seen(q.guardrail, q.epoch, q.stable is None) for q in self._questions())
        return replace(super().observation, queries=tuple(seen))

    def _questions(self) -> Any:
        return questions(self.spec, self.status, "ml", "bot", self.now)

    def _seen(self, name: str, epoch: int, alone: bool) -> QuerySeen:
        if self.error:
            return QuerySeen(name, epoch, error=self.error)
        canary, stable = self.numbers
        return QuerySeen(name, epoch, canary, None if alone else stable, self.requests)

    @property
    def query(self) -> QueryStatus:
        (query,) = self.status.queries
        return query

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / self.tick_seconds)):
            self.tick()

    def condition(self, type_: str) -> Any:
        assert self.last is not None
        return next(c for c in self.last.conditions if c.type == type_)


def test_numbers_within_the_limit_let_the_rollout_go_on_to_its_end() -> None:
    world = SourcedWorld(seed=2)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert any("gpu: canary 0.1 of" in record.why for record in world.records)


def test_a_canary_over_the_limit_is_taken_back_with_its_numbers() -> None:
    world = SourcedWorld(seed=2, numbers=("0.7", "0.2"))
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None
    assert "gpu: canary 0.7 of" in world.status.abort.message
    assert "stable 0.2 (limit 0.5)" in world.status.abort.message


def test_both_arms_over_the_limit_hold() -> None:
    world = SourcedWorld(seed=2, numbers=("0.7", "0.6"))
    world.wait(200)
    assert world.weights == [0, 10]
    assert world.condition("TargetDegraded").status is True


def test_requests_of_the_source_are_compared_with_min_requests() -> None:
    world = SourcedWorld(seed=2, numbers=("0.7", "0.2"), requests=19)
    world.wait(200)
    assert world.status.abort is None and world.weights == [0, 10]
    world.requests = 20
    world.wait(70)
    assert world.status.abort is not None


def test_an_outage_holds_and_the_rollout_goes_on_after_it() -> None:
    world = SourcedWorld(seed=2, error="prom does not answer")
    world.wait(300)
    assert world.weights == [0, 10], "I3: the weight rose without the metric"
    assert world.status.abort is None
    available = world.condition("MetricsAvailable")
    assert (available.status, available.reason) == (False, "SourceUnavailable")
    assert "gpu" in available.message and "prom does not answer" in available.message
    world.error = ""
    assert world.run_until_end(10_000) is RunOutcome.PROMOTED
    assert world.condition("MetricsAvailable").status is True


def test_an_outage_does_not_stop_other_guardrails() -> None:
    world = SourcedWorld(seed=2, error="away")
    errors = {"name": "errors", "metric": "ErrorRate", "maxRatio": "0.05", "minRequests": 20}
    world.spec = rollout_spec(guardrails=[errors, *(g.to_wire() for g in spec().guardrails)])
    world.wait(20)
    world.canary = replace(world.canary, errors=0.5)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None and "errors" in world.status.abort.message


@pytest.mark.parametrize("deadline", [60, 200])
def test_after_the_deadline_on_unavailable_abort_ends_as_inconclusive(deadline: int) -> None:
    world = SourcedWorld(seed=2, spec=spec(unavailableDeadlineSeconds=deadline, onUnavailable="Abort"), error="away")
    while not world.status.queries:
        world.tick()
    since = world.second
    world.wait(deadline - 2)
    assert world.status.abort is None, "never before its deadline"
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.status.abort is not None and world.status.abort.reason == "SourceUnavailable"
    assert world.second - since < deadline + 30


def test_after_the_deadline_on_unavailable_pause_waits_for_a_person() -> None:
    world = SourcedWorld(seed=2, spec=spec(unavailableDeadlineSeconds=60), error="away")
    world.wait(120)
    assert (world.status.paused_since is not None, world.status.pause_reason) == (True, "SourceUnavailable")
    assert [r.what for r in world.records].count("SourceUnavailable") == 1


def test_a_short_outage_starts_its_deadline_anew() -> None:
    world = SourcedWorld(seed=2, spec=spec(unavailableDeadlineSeconds=60, onUnavailable="Abort"), numbers=("1", "1"))
    for _ in range(4):
        world.error = "away"
        world.wait(50)
        world.error = ""
        world.wait(10)
    assert world.status.abort is None and world.query.unavailable_since is None


def test_numbers_that_change_nothing_are_written_once_a_minute_at_most() -> None:
    world = SourcedWorld(seed=2, numbers=("0.9", "0.9"), sessions_per_second=0)
    world.wait(60)
    writes, last = 0, world.status
    for tick in range(300):
        world.numbers = (f"0.{100 + tick}", "0.9")
        world.tick()
        writes += world.status != last
        last = world.status
    assert 0 < writes <= 300 * world.tick_seconds / 60


def test_a_source_that_says_the_same_is_never_written_again() -> None:
    world = SourcedWorld(seed=2, numbers=("0.9", "0.9"), sessions_per_second=0)
    world.wait(60)
    last = world.status
    world.wait(600)
    assert world.status == last


def test_numbers_of_another_epoch_are_not_judged() -> None:
    world = SourcedWorld(seed=2, numbers=("0.1", "0.1"))
    world.run_until(weight=50)
    assert world.query.epoch != world.status.epoch
    assert [r.state.name for r in _readings(world)] == ["PENDING"]


def test_while_baking_stables_numbers_are_those_of_the_epoch_before() -> None:
    world = SourcedWorld(seed=2, numbers=("0.1", "0.3"))
    world.run_until(weight=100)
    world.numbers = ("0.2", "9")
    world.run_until(promoting_since=True)
    assert (world.query.canary, world.query.stable) == ("0.2", "0.3")


def _readings(world: SourcedWorld) -> Any:
    from feedbackloop.domain.rollout.readings import readings

    status, gateways = world.status, world.observation.gateways or ()
    uid = gateways[0].run_uid
    return readings(world.spec.guardrails, gateways, uid, status.epoch, status.weight, status.queries)
