"""I10: replaying the recorded world through `advance` gives the recorded decisions, byte for byte."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.rolloutaction import Action
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.evidence.outcome import evaluate_looks
from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.replay.check import against, replay
from feedbackloop.domain.replay.delta import changed, difference, first_difference
from feedbackloop.domain.replay.frame import frame
from tests.unit.domain.replay.recorded import RecordedWorld
from tests.unit.domain.rollout.world import CANDIDATE, Behaviour, rollout_spec

FAST = {"sessions_per_second": 6.0, "tick_seconds": 4.0}


def finished(**fields: Any) -> RecordedWorld:
    world = RecordedWorld(**({"seed": 3} | FAST | fields))
    world.run_until_end()
    assert world.outcome is not None
    return world


@pytest.fixture(scope="module")
def promoted() -> RecordedWorld:
    return finished()


BEHAVIOURS = [Behaviour(down=0.1), Behaviour(down=0.6), Behaviour(errors=0.4), Behaviour(rated=0)]
ANALYSIS = {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}
STEPS = rollout_spec(
    steps=[{"setCanaryScale": {"replicas": 2}}, {"setWeight": 10}, {"pause": {"durationSeconds": 30}}, ANALYSIS],
    windows=[{"kind": "Deny", "timeZone": "Etc/UTC", "start": "20270101T000100", "durationSeconds": 60}],
)
FAULTS = ["away", "back", "lost", "suspend", "resume", "supersede", "pause", "go on", *Action]
worlds = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "gateway_pods": st.integers(1, 3),
        "restart_every": st.sampled_from([0, 3, 7]),
        "lose_every": st.sampled_from([0, 4, 9]),
        "canary": st.sampled_from(BEHAVIOURS),
        "skew": st.sampled_from([1.0, 1.0, 0.4]),
        "spec": st.sampled_from([rollout_spec(), STEPS]),
    }
)


@settings(max_examples=5, deadline=None)
@given(worlds, st.lists(st.sampled_from(FAULTS), max_size=4))
def test_random_rollouts_replay_to_the_same_decisions(fields: dict[str, Any], faults: list[str]) -> None:
    world = RecordedWorld(**FAST, **fields)
    for fault in [*faults, ""]:
        for _ in range(25):
            if world.outcome is None:
                world.tick()
        inflict(world, fault)
    replayed = replay(world.lines)
    assert replayed.difference is None
    assert list(replayed.records) == world.records
    assert against(replayed, world.run.model_copy(update={"decisions": tuple(world.records[-50:])})) is None


def inflict(world: RecordedWorld, fault: str) -> None:
    world.reachable = {"away": False, "back": True}.get(fault, world.reachable)
    world.suspended = {"suspend": True, "resume": False}.get(fault, world.suspended)
    world.paused = {"pause": True, "go on": False}.get(fault, world.paused)
    if isinstance(fault, Action) and fault is not Action.RETRY:
        step = {"digest": CANDIDATE, "step_index": world.status.step_index}
        world.ask(fault, **(step if fault in (Action.APPROVE, Action.REJECT) else {}))
    world.superseded = world.superseded or fault == "supersede"
    world.pods.broken = fault == "lost"


def test_a_promotion_is_replayed_to_its_end(promoted: RecordedWorld) -> None:
    replayed = replay(promoted.lines)
    assert replayed.difference is None
    assert replayed.steps[-1].result.outcome is promoted.outcome
    assert [r.what for r in replayed.records] == [r.what for r in promoted.records]


def test_a_status_that_was_not_written_is_told(promoted: RecordedWorld) -> None:
    world = finished(lose_every=4, restart_every=6)
    replayed = replay(world.lines)
    assert replayed.difference is None
    assert any(step.unwritten for step in replayed.steps)
    assert list(replayed.records) == world.records


@pytest.mark.parametrize("seed", range(12))
def test_a_mutated_record_is_detected(promoted: RecordedWorld, seed: int) -> None:
    chosen = random.Random(seed)
    lines = list(promoted.lines)
    n = chosen.randrange(len(lines))
    place = chosen.choice([i for i, c in enumerate(lines[n]) if c.isdigit()])
    lines[n] = lines[n][:place] + str((int(lines[n][place]) + 1) % 10) + lines[n][place + 1 :]
    assert replay(lines).difference is not None


def test_a_number_that_another_decision_was_made_from_is_named(promoted: RecordedWorld) -> None:
    """Also when the hash is made to fit: the decision itself is another one."""
    lines = rewritten(promoted.lines, lambda one: one)
    assert replay(lines).difference is None
    n = next(i for i, line in enumerate(lines) if '"what":"NonInferior"' in line)
    forged = rewritten(lines, lambda one: one.replace('"what":"NonInferior"', '"what":"HarmFound"'))
    found = replay(forged).difference
    assert found is not None and found.n == n
    assert found.what == 'records[0].what was decided as "HarmFound" and is "NonInferior" now'


def rewritten(lines: list[str], change: Any) -> list[str]:
    """A forgery: the lines changed, and their hashes made to fit."""
    forged, before = [], ""
    for line in lines:
        one = frame(change(line))
        before = one.chained(before)
        forged.append(canonical_json({**json.loads(change(line)), "hash": before}))
    return forged


def test_a_missing_frame_is_a_gap(promoted: RecordedWorld) -> None:
    found = replay(promoted.lines[:5] + promoted.lines[6:]).difference
    assert found is not None and "frame 5 is missing" in found.what


def test_a_decision_that_was_not_recorded_is_told() -> None:
    world = RecordedWorld(seed=3, **FAST)
    world.run_until(weight=10)
    world.write(weight=11)
    world.tick()
    world.run_until(step_index=2)
    found = replay(world.lines).difference
    assert found is not None and "a decision is missing before this frame: weight was 10 and is 11" in found.what


def test_what_other_parts_write_is_no_gap() -> None:
    world = RecordedWorld(seed=3, **FAST)
    world.run_until(weight=10)
    world.write(provider=ProviderStatus(weight=10, accepted=True))
    world.run_until_end()
    assert replay(world.lines).difference is None


def test_a_run_whose_status_is_another_is_told(promoted: RecordedWorld) -> None:
    replayed, run = replay(promoted.lines), promoted.run
    decisions = tuple(promoted.records)
    assert against(replayed, run.model_copy(update={"decisions": decisions})) is None
    other = run.model_copy(update={"rollout": promoted.status.model_copy(update={"instabilities": 1})})
    found = against(replayed, other)
    assert found is not None and "instabilities was absent and is 1" in found.what
    found = against(replayed, run.model_copy(update={"decisions": decisions[1:]}))
    assert found is not None and "lack" in found.what


def test_late_looks_after_a_promotion_are_computed_again(promoted: RecordedWorld) -> None:
    replayed, ended = replay(promoted.lines), promoted.status
    looks = (*ended.looks, ended.looks[-1].model_copy(update={"at": "2027-01-02T00:00:00Z"}))
    outcomes = tuple(evaluate_looks(o, looks, len(promoted.spec.outcomes)) for o in promoted.spec.outcomes)
    run = promoted.run.model_copy(update={"decisions": tuple(promoted.records)})
    late = ended.model_copy(update={"looks": looks, "outcomes": outcomes})
    assert against(replayed, run.model_copy(update={"rollout": late})) is None
    found = against(replayed, run.model_copy(update={"rollout": ended.model_copy(update={"looks": looks})}))
    assert found is not None and "outcomes" in found.what


def test_a_line_that_is_no_frame(promoted: RecordedWorld) -> None:
    for bad in ("{}", "nothing", "[]", promoted.lines[2][:-20]):
        found = replay([*promoted.lines[:2], bad]).difference
        assert found is not None and found.n == 2 and "no frame" in found.what


def test_a_record_is_small(promoted: RecordedWorld) -> None:
    packed = len(gzip.compress("\n".join(promoted.lines).encode()))
    assert packed / len(promoted.lines) < 400


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "~", "="]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "=", "~", "-"]), inside),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(values, values)
def test_a_delta_makes_the_new_document_of_the_old(old: Any, new: Any) -> None:
    delta = difference(old, new)
    assert first_difference(changed(old, json.loads(json.dumps(delta))), new) is None
    assert (delta == {}) == (first_difference(old, new) is None)
