"""The always-valid test: its formula, its error rates and how many sessions it needs (simulated, seeded).

`FEEDBACKLOOP_SIMULATIONS=1` runs ten times as many.
"""

from __future__ import annotations

import math
import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.domain.evidence import eprocess
from feedbackloop.domain.evidence.eprocess import HARM_RATIOS, NON_INFERIORITY_FACTORS
from feedbackloop.domain.evidence.ratio import confidence_sequence
from tests.unit.domain.evidence.looks import counts, look

MANY = 10 if os.environ.get("FEEDBACKLOOP_SIMULATIONS") else 1
MARGIN = 1.25


def test_a_likelihood_ratio_by_hand() -> None:
    """30 units each, 6 events in stable and 2 in the canary, ratio 0.5 against 1: 0.5^2 / 0.75^8."""
    one = look(counts(30, 6), counts(30, 2))
    assert eprocess.log_likelihood_ratio(one, 0.5, 1.0) == pytest.approx(math.log(0.5**2 / 0.75**8))


def test_without_events_or_with_one_arm_there_is_no_evidence() -> None:
    assert eprocess.log_likelihood_ratio(look(counts(30, 0), counts(30, 0)), 2.0, 1.0) == 0.0
    assert eprocess.log_likelihood_ratio(look(counts(0, 0), counts(30, 9)), 2.0, 1.0) == pytest.approx(0.0)
    assert eprocess.harm([]) == []


@given(share=st.integers(1, 99), events=st.integers(1, 40), null=st.sampled_from([0.5, 1.0, 1.25, 2.0]))
def test_the_mean_under_the_null_is_one(share: int, events: int, null: float) -> None:
    """Over the binomial law of a look's events at the null, each likelihood ratio has mean exactly 1."""
    p = share * null / (share * null + 100 - share)
    for alternative in (null * 0.3, null * 0.9, null * 1.1, null * 4):
        mean = math.fsum(
            math.comb(events, x)
            * p**x
            * (1 - p) ** (events - x)
            * math.exp(
                eprocess.log_likelihood_ratio(
                    look(counts(4000 - 40 * share, events - x), counts(40 * share, x)), alternative, null
                )
            )
            for x in range(events + 1)
        )
        assert mean == pytest.approx(1.0)


def test_the_confidence_sequence_agrees_with_both_tests() -> None:
    looks = [look(counts(50, 15), counts(50, 4)) for _ in range(3)]
    interval = confidence_sequence(looks, 0.05)
    assert interval.lower < 4 / 15 < interval.upper
    assert (interval.upper < MARGIN) == (eprocess.non_inferiority(looks, MARGIN)[-1] >= math.log(20))
    assert interval.lower < 1.0
    assert confidence_sequence([], 0.05) == pytest.approx((0.01, 100))


class _Test:
    """Harm and non-inferiority side by side for many runs at once."""

    def __init__(self, runs: int) -> None:
        self.harm = np.zeros((len(HARM_RATIOS), runs))
        self.safe = np.zeros((len(NON_INFERIORITY_FACTORS), runs))

    def look(self, stable: np.ndarray, canary: np.ndarray, bad_stable: np.ndarray, bad_canary: np.ndarray) -> None:
        share = canary / np.maximum(1, stable + canary)
        for row, ratio in enumerate(HARM_RATIOS):
            self.harm[row] += self._ratio(share, bad_stable, bad_canary, ratio, 1.0)
        for row, factor in enumerate(NON_INFERIORITY_FACTORS):
            self.safe[row] += self._ratio(share, bad_stable, bad_canary, MARGIN * factor, MARGIN)

    @staticmethod
    def _ratio(share: np.ndarray, stable: np.ndarray, canary: np.ndarray, ratio: float, null: float) -> np.ndarray:
        mixture = (share * ratio + 1 - share) / (share * null + 1 - share)
        return np.asarray(canary * math.log(ratio / null) - (stable + canary) * np.log(mixture))

    def over(self, bound: float) -> tuple[np.ndarray, np.ndarray]:
        return np.exp(self.harm).mean(axis=0) >= bound, np.exp(self.safe).mean(axis=0) >= bound


def simulate(
    down_stable: float, down_canary: float, most: int, *, weight: float = 0.5, runs: int = 400
) -> tuple[Counter[str], list[int]]:
    """How the runs are decided, and after how many sessions; looks as the rule closes them."""
    runs *= MANY
    rng, test, sessions = np.random.default_rng(11), _Test(runs), 0
    decided = np.zeros(runs, dtype=int)
    how = np.array(["open"] * runs, dtype=object)
    while sessions < most and (decided == 0).any():
        new = max(20, math.ceil(0.02 * sessions))
        sessions += new
        canary = rng.binomial(new, weight, runs)
        stable = new - canary
        test.look(stable, canary, rng.binomial(stable, down_stable), rng.binomial(canary, down_canary))
        for name, crossed in zip(("abort", "promote"), test.over(20), strict=True):
            first = crossed & (decided == 0)
            decided[first], how[first] = sessions, name
    return Counter(how.tolist()), sorted(int(n) for n in decided if n)


def quantiles(sessions: list[int]) -> tuple[int, int]:
    return sessions[len(sessions) // 2], sessions[int(0.95 * len(sessions))]


@pytest.mark.parametrize(
    ("down_stable", "down_canary", "how", "median", "p95"),
    [(0.30, 0.10, "promote", 120, 260), (0.25, 0.05, "promote", 110, 210), (0.10, 0.30, "abort", 150, 360)],
)
def test_sessions_for_a_decision_at_equal_weights(
    down_stable: float, down_canary: float, how: str, median: int, p95: int
) -> None:
    ends, sessions = simulate(down_stable, down_canary, 5000)
    assert ends[how] >= 0.99 * sum(ends.values())
    assert quantiles(sessions) == (pytest.approx(median, rel=0.15), pytest.approx(p95, rel=0.2))


@pytest.mark.parametrize(("rate", "weight"), [(0.02, 0.1), (0.1, 0.5), (0.3, 0.5)])
def test_a_candidate_that_is_no_worse_is_rarely_aborted(rate: float, weight: float) -> None:
    ends, _ = simulate(rate, rate, 6000, weight=weight)
    assert ends["abort"] <= 0.05 * sum(ends.values())


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_a_candidate_at_the_declared_ratio_is_rarely_promoted(rate: float) -> None:
    ends, _ = simulate(rate, MARGIN * rate, 6000)
    assert ends["promote"] <= 0.05 * sum(ends.values())


def test_changing_base_rates_and_weights_do_not_fool_it() -> None:
    """The base rate triples while the weight ramps up: a pooled test aborts every one of these."""
    runs = 400 * MANY
    rng, test = np.random.default_rng(5), _Test(runs)
    aborted = np.zeros(runs, dtype=bool)
    for i in range(200):
        rate, weight = 0.05 + 0.10 * i / 200, (0.05, 0.25, 0.5)[min(2, i // 60)]
        canary = rng.binomial(50, weight, runs)
        stable = 50 - canary
        test.look(stable, canary, rng.binomial(stable, rate), rng.binomial(canary, rate))
        aborted |= test.over(20)[0]
    assert aborted.mean() <= 0.05
