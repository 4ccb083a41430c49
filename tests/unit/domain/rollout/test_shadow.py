"""The shadow step: a mirror without weight, pairs, a verdict, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import GatewayStatus, ShadowCounts
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Rollout, Step
from feedbackloop.api.rolloutaction import Action
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.rollout.intents import mirroring
from tests.unit.domain.rollout.world import CANDIDATE, RUN_UID, World, rollout_spec

SHADOW: dict[str, Any] = {"percent": 20, "metric": "NotEmpty", "minPairs": 40, "maxSeconds": 600, "margin": "0.2"}
DEMO: tuple[dict[str, Any], ...] = ({"setWeight": 10}, {"analysis": {}}, {"setWeight": 50},
        {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}})  # fmt: skip


def spec(*before: dict[str, Any], shadow: dict[str, Any] | None = None) -> Rollout:
    return rollout_spec(steps=[*before, {"shadow": SHADOW | (shadow or {})}, *DEMO])


class Mirrored(World):
    """A world whose gateways mirror as they are told, so many pairs a second."""

    pairs_per_second = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pairs: dict[int, float] = {}

    def tick(self) -> None:
        for routing in self.routings:
            if routing.mirror is not None and self.pods.observed(self.second).ready:
                more = self.pairs_per_second * self.tick_seconds
                self.pairs[routing.epoch] = self.pairs.get(routing.epoch, 0) + more
        super().tick()

    def _status(self, pod: int) -> GatewayStatus:
        counts = tuple(
            ShadowCounts(run_uid=RUN_UID, epoch=epoch, mirrored=int(n), pairs=int(n)) for epoch, n in self.pairs.items()
        )
        return super()._status(pod).model_copy(update={"shadow": counts})

    def compared(self, wins: int, losses: int, ties: int = 0, **more: Any) -> None:
        """The comparing job's word comes in."""
        assert self.status.shadow is not None
        told = {"compare_run_id": "shadow-1", "wins": wins, "losses": losses, "ties": ties} | more
        shadow = self.status.shadow.model_copy(update=told)
        self.status = self.status.model_copy(update={"shadow": shadow})

    def collected(self) -> None:
        for _ in range(400):
            if self.status.shadow is not None and self.status.shadow.epoch == 0:
                return
            self.tick()
        raise AssertionError(f"no pairs were collected: {self.last and self.last.message}")


def mirrored(world: World) -> bool:
    return world.serving.routing.mirror is not None


def test_the_canary_is_available_before_anything_is_mirrored_and_its_weight_stays_0() -> None:
    world = Mirrored(spec=spec())
    while not mirrored(world):
        assert world.status.epoch == 0
        world.tick()
    routing = world.serving.routing
    assert world.pods.observed(world.second).serves(CANDIDATE)
    assert (routing.weight, routing.canary, routing.fallback) == (0, None, None), "I2: shown to nobody"
    assert routing.mirror is not None
    assert (routing.mirror.percent, routing.mirror.max_concurrency, routing.mirror.max_pairs) == (20, 4, 2000)
    assert routing.mirror.backend.digest == CANDIDATE


def test_enough_pairs_end_the_mirror_in_an_epoch_of_its_own_and_are_compared() -> None:
    world = Mirrored(spec=spec())
    world.collected()
    shadow = world.status.shadow
    assert shadow is not None
    assert shadow.pairs >= 40
    assert (shadow.first_epoch, world.status.epoch, mirrored(world)) == (1, 2, False)
    world.tick()
    assert world.last is not None
    assert "pairs are compared" in world.last.message
    assert world.status.step_index == 0


def test_a_candidate_that_is_not_worse_goes_on() -> None:
    world = Mirrored(spec=spec())
    world.collected()
    world.compared(wins=200, losses=200)
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert world.status.shadow is not None
    assert world.status.shadow.verdict is Verdict.SUCCESSFUL
    assert "200 wins, 200 losses" in world.status.shadow.message


def test_a_worse_candidate_is_taken_back_before_any_user_has_seen_it() -> None:
    world = Mirrored(spec=spec())
    world.collected()
    world.compared(wins=20, losses=180)
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None
    assert world.status.abort.reason == Reason.SHADOW_WORSE
    assert world.weights == [0]


FAIR = (40, 0, 0, 0, 40, 0, 0, 0, 40)
LEANING = (20, 0, 0, 0, 40, 0, 20, 0, 40)
"""Half of the candidate's losses are wins to it."""
AVERSE = (40, 0, 20, 0, 40, 0, 0, 0, 20)


@pytest.mark.parametrize(
    ("labels", "counts", "verdict"),
    [
        (FAIR, (200, 200, 100), Verdict.SUCCESSFUL),
        (LEANING, (200, 200, 100), Verdict.INCONCLUSIVE),
        (FAIR, (100, 200, 0), Verdict.FAILED),
        (AVERSE, (100, 200, 0), Verdict.INCONCLUSIVE),
        (LEANING, (10, 11, 0), Verdict.INCONCLUSIVE),
    ],
)
def test_what_a_judge_says_has_to_hold_by_its_labels(
    labels: tuple[int, ...], counts: tuple[int, int, int], verdict: Verdict
) -> None:
    world = Mirrored(spec=spec())
    world.collected()
    world.compared(*counts, judge_labels=labels)
    world.tick()
    found = world.status.shadow
    assert found is not None
    assert found.verdict is verdict, found.message
    assert "as people would say" in found.message


@pytest.mark.parametrize(
    ("on_inconclusive", "outcome"), [("Abort", RunOutcome.INCONCLUSIVE), ("Continue", RunOutcome.PROMOTED)]
)
def test_pairs_that_show_neither(on_inconclusive: str, outcome: RunOutcome) -> None:
    world = Mirrored(spec=spec(shadow={"onInconclusive": on_inconclusive}))
    world.collected()
    world.compared(wins=20, losses=21)
    assert world.run_until_end() is outcome


def test_a_comparison_that_failed_is_no_evidence_whatever_is_declared() -> None:
    world = Mirrored(spec=spec(shadow={"onInconclusive": "Continue"}))
    world.collected()
    world.compared(0, 0, verdict=Verdict.ERROR, message="shadow: no judge")
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.weights == [0]


def test_too_few_pairs_in_the_time_that_there_is_show_nothing() -> None:
    world = Mirrored(spec=spec())
    world.pairs_per_second = 0.05
    assert world.run_until_end() is RunOutcome.INCONCLUSIVE
    assert world.status.shadow is not None
    assert "of 40 pairs after 600 s" in world.status.shadow.message


def test_an_abort_ends_the_mirror_at_once() -> None:
    world = Mirrored(spec=spec())
    while not mirrored(world):
        world.tick()
    world.ask(Action.ABORT)
    world.tick()
    assert world.status.abort is not None
    assert not mirrored(world)
    assert world.run_until_end() is not RunOutcome.PROMOTED


def test_a_mirror_beside_a_weight_ends_with_the_canary_and_comes_back_with_it() -> None:
    world = Mirrored(spec=spec({"setWeight": 10}))
    while not mirrored(world):
        world.tick()
    assert world.status.weight == 10
    world.pods.broken = True
    world.tick()
    assert (world.status.weight, mirrored(world)) == (0, False)
    world.pods.broken = False
    while not mirrored(world):
        world.tick()
    assert world.status.weight == 10
    world.collected()
    assert world.status.shadow is not None
    assert world.status.shadow.first_epoch < world.status.epoch - 1


def test_the_canary_is_as_large_as_the_mirrored_share_needs() -> None:
    world = Mirrored(spec=spec(shadow={"percent": 80}))
    while not mirrored(world):
        world.tick()
    assert world.status.canary_replicas == 2


def test_a_step_that_was_passed_over_mirrors_nothing() -> None:
    world = Mirrored(spec=spec())
    while not mirrored(world):
        world.tick()
    world.status = world.status.model_copy(update={"step_index": 1, "steps_digest": ""})
    world.tick()
    assert not mirroring(world.status)
    assert not mirrored(world)


def test_edited_steps_end_the_mirror_and_its_pairs_count_no_more() -> None:
    world = Mirrored(spec=spec())
    while not mirrored(world):
        world.tick()
    live = spec(shadow={"percent": 30}).steps
    world.steps = tuple(Step.model_validate(step.to_wire()) for step in live)
    world.tick()
    assert world.status.shadow is None or world.status.shadow.percent == 30


def test_pairs_are_written_ten_times_at_most() -> None:
    world = Mirrored(spec=spec(shadow={"minPairs": 1000, "maxSeconds": 4000}))
    seen = set()
    while world.status.shadow is None or world.status.shadow.epoch != 0:
        seen.add(world.status.shadow.pairs if world.status.shadow else None)
        world.tick()
    assert len(seen) <= 12
