"""Edge cases of whoever runs the state machine: restarts, leaders, older versions, the size of what is kept."""

from __future__ import annotations

import json

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutaction import Action
from feedbackloop.api.rolloutstatus import AbortStatus, ArmCounts, Look, RolloutStatus
from feedbackloop.domain.rollout import advance, begin
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks
from tests.unit.domain.rollout.world import CHAMPION, START, World, reread

MOST_BYTES = 1_000_000
"""Below etcd's limit of 1.5 MiB for an object, with room for the rest of the run."""


def test_case_02_another_leader_adopts_a_route_that_is_in_force_already() -> None:
    """The route was written, and the leader died before it saw that: nothing is written twice."""
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(weight=10)
    ticks(world, 1)
    seen = world.status
    world.status = seen.model_copy(update={"epoch_started_at": None, "step_index": 0, "steps_digest": ""})
    world.tick()
    assert (world.status.epoch, world.status.weight) == (seen.epoch, 10)
    assert world.status.epoch_started_at is not None


def test_case_28_the_salt_is_the_candidates_from_its_first_to_its_last_epoch() -> None:
    world = World(seed=1)
    salts = set()
    while world.outcome is None:
        world.tick()
        salts |= {world.status.salt}
    assert world.outcome is RunOutcome.PROMOTED
    assert len(salts) == 1
    assert begin("another-run", START).salt not in salts


def test_case_44_a_status_at_all_its_limits_still_fits_an_object() -> None:
    world = World(seed=1)
    world.run_until(step_index=4)
    look = Look(
        outcome="o" * 63,
        epoch=64,
        at="2027-01-01T00:00:00Z",
        stable=ArmCounts(units=10**6, rated=10**6, events=10**6, total=10**9, squares=10**12),
        canary=ArmCounts(units=10**6, rated=10**6, events=10**6, total=10**9, squares=10**12),
    )
    full = world.status.model_copy(update={"looks": (look,) * 2000, "epochs": world.status.epochs * 20})
    full = full.model_copy(update={"epochs": full.epochs[:64]})
    assert len(json.dumps(reread(full).to_wire())) < MOST_BYTES


def test_case_44_epochs_are_bounded_however_often_the_routing_changes() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(step_index=1)
    for edit in range(80):
        edited = world.spec.steps[0].model_copy(update={"set_weight": 10 + edit % 2})
        world.steps = (edited, *world.spec.steps[1:])
        world.run_until(step_index=1, weight=10 + edit % 2)
    assert world.status.epoch > 64
    assert len(world.status.epochs) == 64


def test_case_46_a_pause_for_a_reason_of_a_newer_version_holds() -> None:
    world = quiet({"setWeight": 10}, {"setWeight": 20}, {"pause": {}})
    world.run_until(weight=10)
    world.status = world.status.model_copy(update={"pause_reason": "SolarFlare"})
    ticks(world, 5)
    assert world.status.weight == 10
    assert finding(world, "Paused") == (True, "Paused", "paused: SolarFlare; resume, promote or abort it")
    world.ask(Action.RESUME)
    world.run_until(weight=20)


def test_case_46_an_abort_for_a_reason_of_a_newer_version_is_carried_out() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    world.run_until(weight=10)
    abort = AbortStatus(at="2027-01-01T00:00:00Z", reason="SolarFlare", message="too bright")
    world.status = world.status.model_copy(update={"abort": abort})
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    found = finding(world, "Promoted")
    assert found is not None
    assert found[1] == Reason.ROLLED_BACK


def test_case_46_fields_of_a_newer_version_are_passed_over() -> None:
    wire = begin("run", START).to_wire() | {"phase": "Levitating", "stepIndex": 1}
    assert RolloutStatus.model_validate(wire).step_index == 1


def test_case_08_what_stable_serves_already_needs_no_rollout() -> None:
    world = quiet({"setWeight": 10}, {"pause": {}})
    result = advance(
        world.spec, world.status, world.observation, START, run_uid="run", champion=CHAMPION, candidate=CHAMPION
    )
    assert (result.status.epoch, result.status.canary_replicas) == (0, 0)
    assert result.outcome is RunOutcome.PROMOTED
    assert result.message == "the candidate is what stable serves already"
