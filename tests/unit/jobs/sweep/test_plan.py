"""What a sweep may delete, and when it must not delete anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.jobs.sweep.clock import Times, distrust
from feedbackloop.jobs.sweep.plan import (
    FEW,
    Group,
    Kept,
    Kind,
    Rules,
    Verdict,
    Version,
    bounded,
    folder_of,
    grouped,
    judge,
    numbers,
    oldest_expired,
    segment_of,
)

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def segment(first: int, last: int, age: timedelta) -> Group:
    key = f"events/gw-0/{first:020}-{last:020}.seg"
    return Group(key, (Version(key, "v1", NOW - age),))


def folder(name: str, *ages: float) -> Group:
    return Group(name, tuple(Version(f"datasets/{name}/{i}", "v", NOW - age * DAY) for i, age in enumerate(ages)))


def test_the_oldest_segments_go_without_a_gap_up_to_the_first_that_stays() -> None:
    segments = [segment(1, 5, 9 * DAY), segment(6, 9, 2 * DAY), segment(10, 12, 8 * DAY)]
    assert oldest_expired(segments, NOW - 3 * DAY, floor=1) == segments[:1]
    assert oldest_expired(segments, NOW - DAY, floor=1) == segments


def test_what_lies_below_the_floor_is_the_rest_of_a_broken_sweep() -> None:
    segments = [segment(1, 5, timedelta()), segment(6, 9, timedelta())]
    assert oldest_expired(segments, NOW - DAY, floor=6) == segments[:1]


def test_a_group_expires_by_its_newest_object_and_a_marker_is_none() -> None:
    assert not folder("a", 9, 1).expired(NOW - 2 * DAY)
    assert folder("a", 9, 3).expired(NOW - 2 * DAY)
    assert Group("m", (Version("k", "v", NOW, marker=True),)).expired(NOW - 9 * DAY)


def test_grouping_leaves_alone_what_is_no_segment_and_no_folder() -> None:
    keys = ["events/a/FLOOR", "events/a/notes.txt", f"events/a/{1:020}-{2:020}.seg"]
    versions = [Version(key, "v", NOW) for key in keys]
    assert [group.name for group in grouped(versions, segment_of)] == [keys[2].rpartition("/")[2]]
    assert folder_of("loose") == ""
    assert numbers(keys[2]) == (1, 2)


@pytest.mark.parametrize(
    ("rules", "held"),
    [
        (Rules(legal_hold=True), Kept.LEGAL_HOLD),
        (Rules(clock=False), Kept.CLOCK),
        (Rules(legal_hold=True, clock=False, force=True), Kept.LEGAL_HOLD),
    ],
)
def test_a_hold_and_a_bad_clock_keep_everything_and_say_how_much(rules: Rules, held: Kept) -> None:
    verdict = judge(Kind.DATASETS, [folder("a", 9, 9), folder("b", 9)], 9, rules, frozenset())
    assert (verdict.doomed, verdict.kept) == ((), {held: 3})


def test_more_than_half_of_a_class_needs_a_confirmation() -> None:
    groups = [folder(str(n), 9) for n in range(FEW + 1)]
    assert judge(Kind.RUNS, groups, 2 * len(groups), Rules(), frozenset()).doomed == tuple(groups)
    assert judge(Kind.RUNS, groups, 2 * len(groups) - 1, Rules(), frozenset()).kept == {Kept.TOO_MANY: FEW + 1}
    assert judge(Kind.RUNS, groups, len(groups), Rules(force=True), frozenset()).doomed == tuple(groups)
    assert judge(Kind.RUNS, groups[:FEW], FEW, Rules(), frozenset()).doomed == tuple(groups[:FEW])


def test_what_is_in_use_stays_also_when_it_is_forced() -> None:
    verdict = judge(Kind.DATASETS, [folder("a", 9), folder("b", 9)], 2, Rules(force=True), frozenset({"a"}))
    assert [group.name for group in verdict.doomed] == ["b"]
    assert verdict.kept == {Kept.IN_USE: 1}


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=4), st.integers(1, 20))
def test_a_bound_takes_whole_groups_in_order_and_loses_none(sizes: list[list[int]], most: int) -> None:
    verdicts = [Verdict(Kind.RUNS, tuple(folder(f"{i}-{j}", *[9] * n) for j, n in enumerate(row)))
                for i, row in enumerate(sizes)]  # fmt: skip
    cut = bounded(verdicts, most)
    taken = [group for verdict in cut for group in verdict.doomed]
    assert sum(len(group.versions) for group in taken[:-1]) <= most or len(taken) <= 1
    for before, after in zip(verdicts, cut, strict=True):
        assert before.doomed[: len(after.doomed)] == after.doomed
        left = sum(len(group.keys) for group in before.doomed[len(after.doomed) :])
        assert after.kept.get(Kept.BOUND, 0) == left
    assert not any(verdict.doomed for verdict in verdicts) or taken


def times(local: timedelta = timedelta(), store: timedelta = timedelta()) -> Times:
    return Times(NOW + local, NOW + store)


def test_clocks_that_agree_are_trusted_and_the_earlier_one_decides() -> None:
    assert distrust(times(store=timedelta(hours=1)), "") == ""
    assert times(store=timedelta(hours=-1)).cautious == NOW - timedelta(hours=1)


@pytest.mark.parametrize("jump", [timedelta(hours=25), timedelta(days=4000)])
def test_a_clock_that_jumped_is_not_trusted_whichever_it_is(jump: timedelta) -> None:
    assert "ahead of" in distrust(times(local=jump), "")
    assert "behind" in distrust(times(store=jump), "")


def test_a_clock_behind_the_last_sweep_is_not_trusted() -> None:
    assert "behind the last sweep" in distrust(times(), "2026-01-10T01:00:00Z")
    assert distrust(times(), "2026-01-10T00:01:00Z") == ""
    assert distrust(times(), "2025-01-10T00:00:00Z") == ""
