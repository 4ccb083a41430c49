"""Units, epochs, attribution windows and traffic counts: a fold over the log."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.events.codec import Stored
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Serving
from feedbackloop.gateway.meta import Duplicates, Meta, Outcome, OutcomesSet, Served
from feedbackloop.gateway.state import Snapshot, State
from feedbackloop.gateway.traffic import cumulative
from feedbackloop.gateway.units import Unit

OUTCOMES = OutcomesSet(0, (Outcome("downvotes", "helpful", "ThumbsDown", 1000),))


def session(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def answer(name: str, at: int, *, epoch: int = 1, arm: str = "stable", subject: str = "", **serving: Any) -> Stored:
    served = Serving(run_uid="run", epoch=epoch, arm=arm, assigned=arm, counted=True)
    return InteractionRecord(
        event_id=f"i-{name}-{at}",
        received_at=at,
        subject=subject or name,
        messages=(),
        outputs=(),
        session=session(name),
        serving=msgspec.structs.replace(served, **serving),
    )


def vote(name: str, at: int, value: bool, *, epoch: int = 1, subject: str = "", signal: str = "helpful") -> Stored:
    return FeedbackRecord(f"v-{name}-{at}", at, subject or name, signal, "Thumbs", value=value, session=session(name),
                          run_uid="run", epoch=epoch)  # fmt: skip


def fold(*entries: Stored | Meta, until: int = 100_000) -> State:
    state = State()
    for entry in (OUTCOMES, *entries):
        state.apply(entry)
    state.tick(until)
    return state


def counts(state: State) -> dict[tuple[int, str], tuple[int, ...]]:
    """Units, rated and events."""
    return {(epoch, arm): tuple(values[:3]) for (_, epoch, arm, _), values in state.units.counts.items()}


def test_a_unit_is_counted_when_its_window_closes_and_not_before() -> None:
    assert counts(fold(answer("a", 10), vote("a", 20, False), until=1009)) == {}
    assert counts(fold(answer("a", 10), vote("a", 20, False), until=1010)) == {(1, "stable"): (1, 1, 1)}


def test_the_last_vote_stands() -> None:
    assert counts(fold(answer("a", 10), vote("a", 20, False), vote("a", 30, True))) == {(1, "stable"): (1, 1, 0)}


def changed(name: str, at: int, of: int, value: bool | None) -> Stored:
    """A later word in the place of the vote at a time; none at all takes it back."""
    made = vote(name, at, value is True)
    assert isinstance(made, FeedbackRecord)
    return msgspec.structs.replace(made, value=value, supersedes=f"v-{name}-{of}", retracted=value is None)


def test_a_vote_that_was_taken_back_leaves_the_unit_unrated() -> None:
    first, gone = vote("a", 20, False), changed("a", 30, 20, None)
    assert counts(fold(answer("a", 10), first, gone)) == {(1, "stable"): (1, 0, 0)}
    assert counts(fold(answer("a", 10), gone, first)) == {(1, "stable"): (1, 0, 0)}


def test_a_changed_vote_stands_in_whatever_order_the_two_come() -> None:
    first, second = vote("a", 20, False), changed("a", 30, 20, True)
    for entries in ((first, second), (second, first)):
        assert counts(fold(answer("a", 10), *entries)) == {(1, "stable"): (1, 1, 0)}


def test_taking_back_what_was_already_changed_changes_nothing() -> None:
    entries = (vote("a", 20, True), changed("a", 30, 20, False), changed("a", 40, 20, None))
    assert counts(fold(answer("a", 10), *entries)) == {(1, "stable"): (1, 1, 1)}


def test_nobody_takes_back_anothers_vote() -> None:
    theirs = msgspec.structs.replace(changed("a", 30, 20, None), subject="b")  # type: ignore[type-var]
    assert counts(fold(answer("a", 10), vote("a", 20, False), theirs)) == {(1, "stable"): (1, 1, 1)}


def test_a_unit_of_an_older_checkpoint_is_still_read() -> None:
    old = msgspec.msgpack.encode(["5" * 32, "run", 1, "stable", "a", 10, [], {"helpful": True}])
    assert msgspec.msgpack.decode(old, type=Unit).replaced == []


def test_a_unit_without_a_vote_counts_as_unrated() -> None:
    assert counts(fold(answer("a", 10))) == {(1, "stable"): (1, 0, 0)}


def test_a_vote_after_the_window_does_not_count() -> None:
    assert counts(fold(answer("a", 10), vote("a", 1010, False))) == {(1, "stable"): (1, 0, 0)}


def test_a_vote_of_another_subject_or_epoch_or_signal_does_not_count() -> None:
    votes = (vote("a", 20, False, subject="b"), vote("a", 20, False, epoch=2), vote("a", 20, False, signal="x"))
    assert counts(fold(answer("a", 10), *votes)) == {(1, "stable"): (1, 0, 0)}


def test_more_requests_of_a_session_are_still_one_unit_of_its_first_arm() -> None:
    entries = (answer("a", 10, arm="canary"), answer("a", 50, arm="stable"), answer("a", 5000))
    assert counts(fold(*entries)) == {(1, "canary"): (1, 0, 0)}


def test_a_session_that_began_in_an_earlier_epoch_is_not_counted_in_a_new_one() -> None:
    state = fold(answer("a", 10), answer("a", 20, epoch=2, arm="canary"), answer("b", 30, epoch=2, arm="canary"))
    assert counts(state) == {(1, "stable"): (1, 0, 0), (2, "canary"): (1, 0, 0)}


def test_a_session_that_the_fallback_answered_is_dropped_from_both_arms() -> None:
    dropped = answer("a", 20, arm="stable", assigned="canary", fallback=True)
    state = fold(answer("a", 10, arm="canary"), dropped, answer("a", 30, arm="canary"))
    assert counts(state) == {}
    assert len(state.units) == 0


def test_requests_without_a_session_are_not_counted() -> None:
    assert counts(fold(answer("a", 10, counted=False))) == {}


def test_without_outcomes_no_unit_is_opened() -> None:
    state = State()
    state.apply(answer("a", 10))
    assert len(state.units) == 0


def test_each_outcome_has_its_own_window() -> None:
    both = OutcomesSet(1, (*OUTCOMES.outcomes, Outcome("late", "helpful", "ThumbsDown", 5000)))
    state = fold(both, answer("a", 10), vote("a", 20, True), vote("a", 3000, False))
    found = {outcome: tuple(values[:3]) for (_, _, _, outcome), values in state.units.counts.items()}
    assert found == {"downvotes": (1, 1, 0), "late": (1, 1, 1)}


def test_traffic_is_counted_by_the_arm_that_answered_without_warm_up() -> None:
    state = fold(
        answer("a", 10, latency_ms=7),
        answer("b", 11, arm="canary", latency_ms=99999),
        answer("c", 12, warm_up=True),
        Served(13, Serving("run", 1, "stable", "stable", status=502, latency_ms=3)),
        answer("d", 14, arm="stable", assigned="canary", fallback=True),
    )
    stable, canary = state.traffic.counts["run", 1, "stable"], state.traffic.counts["run", 1, "canary"]
    assert (stable.requests, stable.errors, stable.unavailable) == (2, 1, 0)
    assert (canary.requests, canary.errors, canary.unavailable) == (1, 0, 1)
    histogram = cumulative(stable.buckets)
    assert (histogram["5"], histogram["10"], histogram["inf"]) == (1, 2, 2)
    assert cumulative(canary.buckets)["60000"] == 0


def test_accepted_is_stored_plus_duplicate_plus_bad_rows() -> None:
    state = fold(answer("a", 1), vote("a", 2, True), Duplicates(3, 4))
    assert (state.accepted, state.stored, state.duplicate) == (6, 2, 4)


NAMES = st.sampled_from(["a", "b", "c"])
ENTRIES = st.lists(
    st.one_of(
        st.builds(answer, NAMES, st.just(0), epoch=st.integers(1, 2), arm=st.sampled_from(["stable", "canary"]),
                  fallback=st.booleans()),
        st.builds(vote, NAMES, st.just(0), st.booleans(), epoch=st.integers(1, 2)),
    ),
    max_size=30,
)  # fmt: skip


def timed(entries: list[Stored], steps: list[int]) -> list[Stored]:
    at, out = 0, []
    for entry, step in zip(entries, steps, strict=False):
        at += step
        out.append(msgspec.structs.replace(entry, received_at=at))
    return out


@given(ENTRIES, st.lists(st.integers(0, 700), min_size=30, max_size=30), st.integers(0, 30))
def test_a_snapshot_anywhere_and_the_rest_replayed_give_the_same_counts(
    entries: list[Stored], steps: list[int], at: int
) -> None:
    log = timed(entries, steps)
    whole = fold(*log)
    before = State()
    for entry in (OUTCOMES, *log[:at]):
        before.apply(entry)
    data = msgspec.msgpack.encode(before.snapshot())
    after = State.restored(msgspec.msgpack.decode(data, type=Snapshot))
    after.units.seen = before.units.seen
    for entry in log[at:]:
        after.apply(entry)
    after.tick(100_000)
    assert (counts(after), after.stored, after.by_signal) == (counts(whole), whole.stored, whole.by_signal)


@given(ENTRIES, st.lists(st.integers(0, 700), min_size=30, max_size=30), st.lists(st.integers(0, 30)))
def test_ticks_in_between_change_no_count(entries: list[Stored], steps: list[int], ticks: list[int]) -> None:
    log = timed(entries, steps)
    state = State()
    state.apply(OUTCOMES)
    for index, entry in enumerate(log):
        if index in ticks:
            state.tick(entry.received_at)
        state.apply(entry)
    state.tick(100_000)
    assert counts(state) == counts(fold(*log))


@given(ENTRIES, st.lists(st.integers(0, 700), min_size=30, max_size=30))
def test_no_session_is_ever_counted_twice(entries: list[Stored], steps: list[int]) -> None:
    log = timed(entries, steps)
    assert sum(units for units, *_ in fold(*log).units.counts.values()) <= len({entry.session for entry in log})
