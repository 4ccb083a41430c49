from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Window
from feedbackloop.domain.rollout import limits
from feedbackloop.domain.rollout.intents import at_step
from feedbackloop.domain.rollout.windows import Opening, closed_seconds, opening
from tests.unit.domain.rollout.world import Behaviour, World, rollout_spec

HOUR = 3600
WORKDAYS = {
    "kind": "Allow",
    "timeZone": "Europe/Paris",
    "start": "20260105T090000",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH",
    "durationSeconds": 8 * HOUR,
}
CHRISTMAS = {
    "kind": "Deny",
    "timeZone": "Europe/Paris",
    "start": "20261220T000000",
    "durationSeconds": 14 * 24 * HOUR,
}


def windows(*wire: dict[str, Any]) -> tuple[Window, ...]:
    return tuple(Window.model_validate(w) for w in wire)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_without_windows_it_is_always_open() -> None:
    assert opening((), at("2026-12-24T12:00:00+01:00")) == Opening(inside=True)


@pytest.mark.parametrize(
    ("now", "inside", "until"),
    [
        ("2026-11-24T08:59:59+01:00", False, "2026-11-24T09:00:00+01:00"),
        ("2026-11-24T09:00:00+01:00", True, "2026-11-24T17:00:00+01:00"),
        ("2026-11-24T17:00:00+01:00", False, "2026-11-25T09:00:00+01:00"),
        ("2026-11-27T12:00:00+01:00", False, "2026-11-30T09:00:00+01:00"),  # Friday to Monday
        ("2026-07-07T09:00:00+02:00", True, "2026-07-07T17:00:00+02:00"),  # the same local hours in summer
    ],
)
def test_an_allow_window_opens_by_the_clocks_of_its_zone(now: str, inside: bool, until: str) -> None:
    assert opening(windows(WORKDAYS), at(now)) == Opening(inside, at(until))


def test_deny_wins_over_allow() -> None:
    both = windows(WORKDAYS, CHRISTMAS)
    assert opening(both, at("2026-12-22T10:00:00+01:00")) == Opening(False, at("2027-01-04T09:00:00+01:00"))
    assert opening(windows(CHRISTMAS), at("2026-12-22T10:00:00+01:00")).until == at("2027-01-03T00:00:00+01:00")
    assert opening(windows(CHRISTMAS), at("2027-01-03T00:00:00+01:00")) == Opening(inside=True)


def test_a_skipped_local_time_starts_by_the_offset_before_the_gap() -> None:
    """RFC 5545 3.3.5: 02:30 on the night the clocks go forward is 01:30 UTC, which is 03:30 on the wall."""
    night = windows({"kind": "Allow", "timeZone": "Europe/Berlin", "start": "20260329T023000", "durationSeconds": 600})
    assert opening(night, at("2026-03-29T01:29:59+00:00")).until == at("2026-03-29T03:30:00+02:00")
    assert opening(night, at("2026-03-29T01:30:00+00:00")).inside


def test_a_repeated_local_time_is_its_first_occurrence() -> None:
    night = windows({"kind": "Allow", "timeZone": "Europe/Berlin", "start": "20261025T023000", "durationSeconds": 600})
    assert opening(night, at("2026-10-25T02:30:00+02:00")).inside
    assert not opening(night, at("2026-10-25T02:30:00+01:00")).inside


def test_the_duration_is_elapsed_time_over_a_change_of_the_clocks() -> None:
    night = {"kind": "Allow", "timeZone": "Europe/Berlin", "start": "20260328T220000", "durationSeconds": 8 * HOUR}
    assert opening(windows(night), at("2026-03-28T23:00:00+01:00")).until == at("2026-03-29T07:00:00+02:00")


def test_until_is_read_in_utc_as_the_rfc_says() -> None:
    ends = WORKDAYS | {"rrule": "FREQ=DAILY;UNTIL=20260106T080000Z"}
    assert opening(windows(ends), at("2026-01-06T12:00:00+01:00")).inside
    assert opening(windows(ends), at("2026-01-06T17:00:00+01:00")) == Opening(inside=False)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"timeZone": "Europe/Atlantis"}, "windows[0].timeZone: Europe/Atlantis is no IANA time zone"),
        ({"timeZone": "Europe"}, "windows[0].timeZone: Europe is no IANA time zone"),
        ({"start": "20261345T000000"}, "windows[0].start: 20261345T000000 is no date and time"),
        ({"start": "00010101T000000"}, "windows[0].start: 00010101T000000 is before 1970"),
        ({"rrule": "FREQ=SECONDLY"}, "windows[0].rrule: FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ({"rrule": "BYDAY=MO"}, "windows[0].rrule: FREQ must be one of"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "windows[0].rrule: INTERVAL=0: each must be a number from 1 to 1000"),
        ({"rrule": "FREQ=DAILY;BYMONTH=13"}, "windows[0].rrule: BYMONTH=13"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "windows[0].rrule: BYMONTH=2;BYMONTHDAY=30: there is no"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "windows[0].rrule:"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=10MO"}, "windows[0].rrule: BYDAY=10MO: there are at most 5"),
        ({"rrule": "FREQ=WEEKLY;BYEASTER=1"}, "windows[0].rrule: BYEASTER is not supported"),
        ({"rrule": "FREQ=WEEKLY;COUNT=2;UNTIL=20270101T000000Z"}, "windows[0].rrule: give COUNT or UNTIL"),
        ({"rrule": "FREQ=WEEKLY;UNTIL=20271345T000000Z"}, "windows[0].rrule: UNTIL=20271345T000000Z is no date"),
        ({"rrule": "FREQ=DAILY;FREQ=DAILY"}, "windows[0].rrule: each part may stand once"),
    ],
)
def test_what_cannot_be_followed_is_closed_and_says_which_field(change: dict[str, str], error: str) -> None:
    found = opening(windows(WORKDAYS | change), at("2026-11-24T10:00:00+01:00"))
    assert (found.inside, found.until) == (False, None)
    assert found.error.startswith(error)


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "FREQ=MONTHLY;BYMONTHDAY=-1"])
def test_an_old_rule_opens_as_if_it_were_walked_through(rule: str) -> None:
    from dateutil.rrule import rrulestr

    zone, first = ZoneInfo("America/New_York"), datetime(1990, 1, 7, 3)
    window = {"kind": "Allow", "timeZone": zone.key, "start": "19900107T030000", "rrule": rule, "durationSeconds": 60}
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    expected = rrulestr(rule, dtstart=first).after(now.replace(tzinfo=None))
    assert expected is not None
    assert opening(windows(window), now).until == expected.replace(tzinfo=zone)


@given(minutes=st.integers(0, 60 * 24 * 400))
@settings(max_examples=40, deadline=None)
def test_the_told_change_is_a_change_and_nothing_changes_before(minutes: int) -> None:
    declared = windows(WORKDAYS, CHRISTMAS)
    now = at("2026-03-01T00:00:00+00:00") + timedelta(minutes=minutes)
    found = opening(declared, now)
    assert found.until is not None and found.until > now
    assert opening(declared, found.until).inside is not found.inside
    assert opening(declared, now + (found.until - now) / 2).inside is found.inside


def test_closed_seconds_leave_out_what_was_open() -> None:
    since, now = at("2026-11-24T16:00:00+01:00"), at("2026-11-25T10:00:00+01:00")
    assert closed_seconds(windows(WORKDAYS), since, now) == 16 * HOUR
    assert closed_seconds((), since, now) == 0


FREEZE = {"kind": "Deny", "start": "20270101T000100", "durationSeconds": 120}


def test_a_freeze_that_starts_mid_step_holds_the_weight_while_evidence_goes_on() -> None:
    world = World(seed=1, spec=rollout_spec(windows=[FREEZE]))
    world.run_until(step_index=3)
    while world.second < 62:
        world.tick()
    looks = len(world.status.looks)
    while world.second < 170:
        world.tick()
    assert world.weights == [0, 10, 50]
    assert len(world.status.looks) > looks
    assert finding(world, "InsideWindow") == (False, Reason.OUTSIDE_WINDOW)
    assert world.last is not None
    assert world.last.message == "outside the declared windows until 2027-01-01T00:03:00Z: weight 50 stays"
    assert world.run_until_end() is RunOutcome.PROMOTED
    assert finding(world, "InsideWindow") == (True, Reason.RUNNING)


def test_a_freeze_does_not_keep_what_takes_back() -> None:
    world = World(seed=1, spec=rollout_spec(windows=[FREEZE]))
    world.run_until(step_index=1)
    while world.second < 70:
        world.tick()
    world.canary = Behaviour(errors=0.5)
    assert world.run_until_end(600) is RunOutcome.ROLLED_BACK


def test_a_freeze_in_the_bake_keeps_the_old_model_warm_until_it_is_over() -> None:
    freeze = FREEZE | {"start": "20270101T000115", "durationSeconds": 300}
    world = World(seed=1, spec=rollout_spec(windows=[freeze], bakeSeconds=120))
    world.run_until(baking_since=True)
    while world.second < 370:
        world.tick()
    assert (world.status.weight, world.status.promoting_since) == (100, None)
    assert world.run_until_end() is RunOutcome.PROMOTED


def test_a_window_that_cannot_be_followed_holds_and_says_why() -> None:
    world = World(seed=1, sessions_per_second=0, spec=rollout_spec(windows=[FREEZE | {"timeZone": "Mars/Base"}]))
    for _ in range(20):
        world.tick()
    assert world.weights == [0]
    assert finding(world, "InsideWindow") == (None, Reason.INVALID_SPEC)
    assert world.last is not None
    assert world.last.message.startswith("rollout.windows[0].timeZone: Mars/Base")


def test_time_outside_the_windows_does_not_end_a_rollout_that_has_its_evidence() -> None:
    """Its steps were done in the freeze; the allowance for bake and replicas is counted from the opening."""
    freeze = FREEZE | {"durationSeconds": 3000}
    world = World(spec=rollout_spec(windows=[freeze], maxDurationSeconds=300))
    done = at_step(world.spec, world.status, 4, at("2027-01-01T00:02:00Z"))
    after = at("2027-01-01T00:51:01Z")
    assert limits.max_duration(replace(world.situation, status=done, now=after)) is None
    assert limits.max_duration(replace(world.situation, status=world.status, now=after)) is not None
    later = after + timedelta(seconds=300 + 20 + 120)
    assert limits.max_duration(replace(world.situation, status=done, now=later)) is not None


def finding(world: World, type_: str) -> tuple[bool | None, Reason]:
    assert world.last is not None
    found = next(c for c in world.last.conditions if c.type == type_)
    return found.status, found.reason
