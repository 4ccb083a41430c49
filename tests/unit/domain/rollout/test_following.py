"""Steps that are edited while a rollout follows them."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.rollout import Step
from feedbackloop.api.rolloutaction import Action
from feedbackloop.domain.rollout.intents import prefix_digest
from feedbackloop.domain.traffic import ProviderSeen
from tests.unit.domain.rollout.test_verbs import DECISION, quiet, ticks
from tests.unit.domain.rollout.world import World, rollout_spec

STEPS: tuple[dict[str, Any], ...] = ({"setWeight": 10}, {"pause": {}}, {"setWeight": 50}, {"pause": {}})


def steps(*wire: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step.model_validate(w) for w in wire)


def half_way() -> World:
    world = quiet(*STEPS)
    world.run_until(step_index=1)
    return world


def test_an_edit_of_later_steps_is_followed_from_where_it_stands() -> None:
    world = half_way()
    world.steps = steps(*STEPS[:2], {"setWeight": 20}, {"pause": {}}, DECISION)
    ticks(world, 3)
    assert (world.status.step_index, world.status.weight) == (1, 10)
    world.ask(Action.PROMOTE)
    world.run_until(weight=20)


@pytest.mark.parametrize(
    "edit",
    [
        ({"setWeight": 5}, *STEPS[1:], DECISION),
        (STEPS[0], {"pause": {"durationSeconds": 5}}, *STEPS[2:], DECISION),
        ({"setCanaryScale": {"replicas": 1}}, *STEPS, DECISION),
    ],
)
def test_an_edit_of_what_was_done_starts_anew_without_traffic(edit: tuple[dict[str, Any], ...]) -> None:
    world = half_way()
    epoch = world.status.epoch
    world.steps = steps(*edit)
    world.tick()
    assert (world.status.step_index, world.status.weight, world.status.epoch) == (0, 0, epoch + 1)
    assert [r.what for r in world.records].count("StepsChanged") == 1
    ticks(world, 10)
    assert [r.what for r in world.records].count("StepsChanged") == 1


def test_fewer_steps_than_were_done_start_anew() -> None:
    world = half_way()
    world.ask(Action.PROMOTE)
    world.run_until(step_index=3)
    world.steps = steps({"setWeight": 10}, DECISION)
    world.tick()
    assert (world.status.step_index, world.status.weight) == (0, 0)


def test_an_edit_that_asks_for_less_evidence_is_not_followed() -> None:
    """Else a candidate could be helped past the decision that it fails."""
    spec = rollout_spec(
        steps=[*STEPS, {"analysis": {"outcomeNames": ["downvotes", "edits"], "until": "Decision"}}],
        outcomes=[
            {"name": n, "signal": "helpful", "attributionWindowSeconds": 15, "minRatedUnits": 60}
            for n in ("downvotes", "edits")
        ],
    )
    world = World(spec=spec, sessions_per_second=0, start_seconds=0)
    world.run_until(step_index=1)
    world.steps = steps(*STEPS[:2], DECISION)
    world.ask(Action.PROMOTE)
    world.run_until(weight=50)
    assert "StepsChanged" not in {r.what for r in world.records}


@pytest.mark.parametrize(
    "step",
    [
        {"shadow": {"percent": 10, "metric": "NotEmpty", "minPairs": 20}},
        {"analysis": {"outcomeNames": ["unknown"]}},
    ],
)
def test_an_edit_that_needs_what_is_not_pinned_is_not_followed(step: dict[str, Any]) -> None:
    world = half_way()
    routing = {"traffic_routing": world.spec.traffic_routing.model_copy(update={"gateway": None})}
    world.spec, world.provider = world.spec.model_copy(update=routing), ProviderSeen(epoch=0, accepted=True)
    world.steps = steps(*STEPS[:2], step, DECISION)
    world.ask(Action.PROMOTE)
    world.run_until(weight=50)


def test_an_edit_while_the_canary_serves_everything_comes_too_late() -> None:
    world = half_way()
    world.ask(Action.PROMOTE_FULL)
    world.run_until(baking_since=True)
    world.steps = steps({"setWeight": 5}, DECISION)
    world.tick()
    assert world.status.weight == 100


def test_a_pause_keeps_an_edit_from_moving_anything() -> None:
    world = half_way()
    world.paused = True
    world.steps = steps({"setWeight": 5}, *STEPS[1:], DECISION)
    ticks(world, 3)
    assert (world.status.step_index, world.status.weight) == (1, 10)
    world.paused = False
    world.tick()
    assert (world.status.step_index, world.status.weight) == (0, 0)


def test_what_is_left_out_and_what_is_its_default_are_the_same_steps() -> None:
    short, long = steps({"approval": {}}), steps({"approval": {"minApprovals": 1, "groups": [], "onTimeout": "Abort"}})
    assert (
        prefix_digest(short, 0) == prefix_digest(long, 0) != prefix_digest(steps({"approval": {"minApprovals": 2}}), 0)
    )


def test_a_rollout_that_an_older_operator_began_goes_on_where_it_is() -> None:
    world = half_way()
    world.status = world.status.model_copy(update={"steps_digest": "", "step_since": None})
    ticks(world, 2)
    assert (world.status.step_index, world.status.weight) == (1, 10)
    assert world.status.steps_digest
