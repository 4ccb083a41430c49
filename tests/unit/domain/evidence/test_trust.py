"""Sample ratio and rated share: whether the counts can be trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedbackloop.api.gateway import Arm
from feedbackloop.domain.evidence.counting import Cell, Counts
from feedbackloop.domain.evidence.rated_share import uneven
from feedbackloop.domain.evidence.sample_ratio import log_bayes_factor, mismatches
from tests.unit.domain.evidence.looks import counts, epoch, look


def _alarms(share: float, actual: float, units: int, runs: int = 300) -> list[int]:
    """After how many units the alarm goes, of the runs in which it does."""
    rng = np.random.default_rng(3)
    canary, alarmed, seen = np.zeros(runs), np.zeros(runs, dtype=int), 0
    while seen < units:
        seen += 50
        canary += rng.binomial(50, actual, runs)
        for i in np.flatnonzero(alarmed == 0):
            if log_bayes_factor(int(canary[i]), seen - int(canary[i]), share) >= math.log(1000):
                alarmed[i] = seen
    return sorted(int(n) for n in alarmed if n)


def test_the_right_share_rarely_alarms() -> None:
    assert len(_alarms(0.1, 0.1, 5000)) <= 2


def test_a_wrong_share_is_found() -> None:
    """At 10 %, 5.5 % is found after about 700 units."""
    found = _alarms(0.1, 0.055, 4000)
    assert len(found) == 300
    assert found[150] == pytest.approx(700, rel=0.25)


def test_without_units_the_factor_is_one() -> None:
    assert log_bayes_factor(0, 0, 0.1) == pytest.approx(0.0)


def test_every_epoch_is_compared_with_its_own_weight() -> None:
    epochs = [epoch(1, 10), epoch(2, 50), epoch(3, 100), epoch(4, 0)]
    fine = [look(counts(900), counts(100), epoch=1), look(counts(500), counts(500), epoch=2)]
    assert mismatches(epochs, fine, {}) == ()
    off = [*fine, look(counts(400), counts(100), epoch=2)]
    found = mismatches(epochs, off, {})
    assert [(m.epoch, m.weight, m.stable, m.canary) for m in found] == [(2, 50, 900, 600)]


def test_an_arm_without_any_units_is_found_before_a_look_closes() -> None:
    now = {Cell("downvotes", 1, Arm.STABLE): Counts(400, 400, 0)}
    assert [m.canary for m in mismatches([epoch(1, 10)], (), now)] == [0]


def test_units_lost_to_an_unavailable_canary_are_no_mismatch() -> None:
    now = {Cell("downvotes", 1, Arm.STABLE): Counts(100, 100, 0), Cell("downvotes", 1, Arm.CANARY): Counts(20, 20, 0)}
    assert mismatches([epoch(1, 50)], (), now) != ()
    assert mismatches([epoch(1, 50)], (), now, {1: 75}) == ()
    assert mismatches([epoch(1, 50)], (), now, {1: 5, 2: 75}) != ()
    crowded = {
        Cell("downvotes", 1, Arm.STABLE): Counts(100, 100, 0),
        Cell("downvotes", 1, Arm.CANARY): Counts(300, 9, 0),
    }
    assert mismatches([epoch(1, 50)], (), crowded, {1: 500}) != ()


def test_an_alarm_stays() -> None:
    looks = [look(counts(300), counts(100), epoch=1), look(counts(1000), counts(1200), epoch=1)]
    assert mismatches([epoch(1, 50)], looks, {})[0].canary == 100


@pytest.mark.parametrize(
    ("stable", "canary", "apart"),
    [
        (counts(100, rated=60), counts(100, rated=30), False),
        (counts(100, rated=60), counts(100, rated=29), True),
        (counts(100, rated=20), counts(50, rated=30), True),
        (counts(100, rated=60), counts(49, rated=0), False),
        (counts(100, rated=0), counts(100, rated=0), False),
        (counts(100, rated=1), counts(100, rated=0), True),
    ],
)
def test_rated_share(stable, canary, apart: bool) -> None:  # type: ignore[no-untyped-def]
    assert bool(uneven([look(stable, canary)])) is apart


def test_the_newest_epoch_with_enough_units_counts() -> None:
    off, fine = look(counts(90, rated=80), counts(90, rated=9)), look(counts(90, rated=9), counts(90, rated=9), epoch=2)
    small = look(counts(9, rated=9), counts(9, rated=0), epoch=3)
    assert uneven([off])[0].epoch == 1
    assert uneven([off, fine, small]) == ()


def test_case_23_votes_that_only_one_arm_gets_decide_nothing() -> None:
    """A page that loses the canary's votes would let the candidate look good: no votes, no down-votes."""
    broken = look(counts(200, 30, rated=150), counts(200, 0, rated=0))
    found = uneven([broken])
    assert [(u.outcome, u.stable.rated, u.canary.rated) for u in found] == [("downvotes", 150, 0)]
