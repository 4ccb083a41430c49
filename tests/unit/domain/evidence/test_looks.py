from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.gateway import Arm
from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.looks import MOST_LOOKS, close_looks, look_rule
from tests.unit.domain.evidence.looks import RUN, START, counts, epoch, gateway, look, spec, status


def closing(stable: int, canary: int, after: float, *recorded: Look, weight: int = 50) -> tuple[Look, ...]:
    pod = gateway((1, Arm.STABLE, stable, stable, 0), (1, Arm.CANARY, canary, canary, 0))
    now = START + timedelta(seconds=after)
    return close_looks(spec("downvotes"), status(epoch(1, weight), looks=recorded), [pod], RUN, now)


@pytest.mark.parametrize(
    ("stable", "canary", "after", "closes"),
    [
        (10, 10, 1, True),
        (10, 9, 1, False),
        (10, 9, 60, True),
        (1, 1, 59, False),
        (1, 1, 60, True),
        (0, 0, 600, False),
        (40, 0, 600, False),
        (0, 40, 600, False),
    ],
)
def test_a_look_closes_after_20_new_units_or_60_seconds(stable: int, canary: int, after: float, closes: bool) -> None:
    assert bool(closing(stable, canary, after)) is closes


def test_a_look_needs_2_percent_of_the_units_of_a_long_run() -> None:
    before = look(counts(1000), counts(1000))
    assert not closing(1020, 1019, 1, before)
    assert closing(1021, 1021, 1, before)[0].canary.units == 21


def test_a_look_holds_the_increments_and_is_closed_once() -> None:
    first = closing(12, 10, 1)
    assert (first[0].stable.units, first[0].canary.units) == (12, 10)
    assert closing(12, 10, 1, *first) == ()
    assert closing(32, 21, 2, *first)[0].stable.units == 20


@pytest.mark.parametrize("weight", [0, 100])
def test_an_epoch_with_one_arm_has_no_looks(weight: int) -> None:
    assert closing(500, 500, 600, weight=weight) == ()


def test_late_units_of_an_old_epoch_make_a_look_of_their_own() -> None:
    pod = gateway(
        (1, Arm.STABLE, 30, 30, 3), (1, Arm.CANARY, 6, 6, 1), (2, Arm.STABLE, 15, 15, 2), (2, Arm.CANARY, 14, 14, 2)
    )
    looks = close_looks(spec("downvotes"), status(epoch(1, 10), epoch(2, 50)), [pod], RUN, START)
    assert [(x.epoch, x.stable.units, x.canary.units) for x in looks] == [(1, 30, 6), (2, 15, 14)]


def test_the_interval_stretches_with_the_duration_and_the_outcomes() -> None:
    assert look_rule(spec("a", max_duration_seconds=3600)).interval_seconds == 60
    assert look_rule(spec("a", max_duration_seconds=1_209_600)).interval_seconds == pytest.approx(1209.6)
    assert look_rule(spec("a", "b", max_duration_seconds=1_209_600)).interval_seconds == pytest.approx(2419.2)


@settings(max_examples=25, deadline=None)
@given(
    outcomes=st.integers(1, 8),
    duration=st.sampled_from([600, 86_400, 1_209_600, 31_536_000]),
    units_per_second=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_at_most_2000_looks_ever_exist(outcomes: int, duration: int, units_per_second: float) -> None:
    """The rule, driven at the rate of a whole run without building the looks."""
    rule = look_rule(spec(*[f"o{i}" for i in range(outcomes)], max_duration_seconds=duration))
    used, second, step, new, total = 0, 0.0, max(2.0, duration / 20_000), 0.0, 0.0
    waited = 0.0
    while second < duration:
        second, new, waited = second + step, new + units_per_second * step, waited + step
        if new >= 1 and rule.due(used, int(new), int(total + new), waited):
            used, total, new, waited = used + 1, total + new, 0.0, 0.0
    assert used * outcomes <= MOST_LOOKS
    assert used < rule.allowance, "the allowance never runs out inside the duration"
