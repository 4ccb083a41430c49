"""What holds for a loop whatever was observed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.conditions import Reason, find_condition
from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.domain.lifecycle.loop import decide
from feedbackloop.domain.lifecycle.loop_effects import Create
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation
from feedbackloop.domain.lifecycle.loop_runs import KEPT, consumed, summaries
from feedbackloop.domain.lifecycle.loop_trigger import new_signals
from tests.unit.domain.lifecycle.loop_world import (
    ADMIN,
    NOW,
    carried_out,
    observations,
    offsets,
    run,
    run_statuses,
    settled,
    with_status,
)

relaxed = settings(deadline=None, max_examples=60)


@relaxed
@given(observations())
def test_a_decision_is_always_made_and_always_the_same(seen: LoopObservation) -> None:
    assert decide(seen, ADMIN, NOW) == decide(seen, ADMIN, NOW)


@relaxed
@given(observations())
def test_a_status_that_was_written_is_not_written_again_while_nothing_changes(seen: LoopObservation) -> None:
    first = decide(seen, ADMIN, NOW)
    again = decide(with_status(seen, first.status), ADMIN, NOW)
    third = decide(with_status(seen, again.status), ADMIN, NOW)
    assert third.status == again.status
    assert third.announcements in ((), again.announcements)


@relaxed
@given(observations())
def test_a_loop_comes_to_rest(seen: LoopObservation) -> None:
    if seen.target is None:
        return
    for _ in range(4):
        seen = carried_out(seen, decide(seen, ADMIN, NOW))
    last = decide(seen, ADMIN, NOW)
    assert last.status == seen.loop.status
    assert not last.effects or any(isinstance(e, Create) for e in last.effects)


@relaxed
@given(observations())
def test_conditions_say_what_they_must(seen: LoopObservation) -> None:
    status = decide(seen, ADMIN, NOW).status
    ready = find_condition(status.conditions, "Ready")
    stalled = find_condition(status.conditions, "Stalled")
    reconciling = find_condition(status.conditions, "Reconciling")
    assert ready is not None
    assert {c.reason for c in status.conditions} <= {r.value for r in Reason}
    assert status.observed_generation == seen.loop.generation
    assert sum(c is not None for c in (stalled, reconciling)) == (0 if ready.status == "True" else 1)


@relaxed
@given(observations())
def test_a_run_is_created_only_when_none_is_under_way(seen: LoopObservation) -> None:
    creates = [e for e in decide(seen, ADMIN, NOW).effects if isinstance(e, Create)]
    assert len(creates) <= (0 if seen.active is not None else 1)


@given(offsets, offsets)
def test_new_signals_are_never_negative_and_none_are_new_once_consumed(
    cut: tuple[PodOffset, ...], before: tuple[PodOffset, ...]
) -> None:
    assert new_signals(cut, before) >= 0
    assert new_signals(cut, cut) == 0


@relaxed
@given(observations())
def test_what_is_consumed_never_shrinks(seen: LoopObservation) -> None:
    before = {o.pod: (o.offset, o.trainable) for o in seen.loop.status.consumed}
    after = {o.pod: (o.offset, o.trainable) for o in consumed(seen)}
    assert all(after[pod][i] >= before[pod][i] for pod in before for i in (0, 1))


@given(st.lists(run_statuses, max_size=20))
def test_the_last_runs_are_kept_newest_first_and_stay_the_same(statuses: list[dict[str, object]]) -> None:
    seen = settled()
    runs = tuple(run(f"r{n}", **s) for n, s in enumerate(statuses))
    seen = replace(seen, runs=runs)
    kept = summaries(seen, NOW)
    assert len(kept) == min(KEPT, sum(r.status.outcome is not None for r in runs))
    assert [k.finished_at for k in kept] == sorted((k.finished_at for k in kept), reverse=True)
    status = seen.loop.status.model_copy(update={"runs": kept})
    assert summaries(with_status(seen, status), NOW) == kept
