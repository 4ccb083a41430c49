"""Paired tests against published values and against brute force.

Tango, Statistics in Medicine 17 (1998) 891-908; Fagerland, Lydersen, Laake: Statistical Analysis of
Contingency Tables (2017), chapter 8; R package PropCIs, `scoreci.mp`.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from feedbackloop.domain.statistics import noninferiority, sample_size, superiority, tango
from feedbackloop.domain.statistics.normal import upper_tail


def test_tango_1998_soft_contact_lenses() -> None:
    """44 pairs, none gained and one lost, margin 0.1: Z = 1.709, p = 0.044, 90 % interval -0.096 to 0.037."""
    z = tango.score(0, 1, 44, -0.1)
    assert z == pytest.approx(1.709, abs=5e-4)
    assert upper_tail(z) == pytest.approx(0.044, abs=5e-4)
    assert tango.interval(0, 1, 44, 0.90) == pytest.approx((-0.096, 0.037), abs=5e-4)


@pytest.mark.parametrize(
    ("gains", "losses", "n", "confidence", "lower", "upper"),
    [
        (1, 7, 21, 0.95, -0.517, -0.026),  # Bentur et al. 2009 in Fagerland et al., table 8
        (28, 25, 618, 0.90, -0.0148, 0.0247),  # PropCIs: scoreci.mp(25, 28, 618, 0.90)
        (0, 0, 72, 0.90, -0.0362, 0.0362),  # no discordant pair: z^2 / (n + z^2)
    ],
)
def test_tango_intervals(gains: int, losses: int, n: int, confidence: float, lower: float, upper: float) -> None:
    assert tango.interval(gains, losses, n, confidence) == pytest.approx((lower, upper), abs=6e-4)


def test_the_score_is_zero_at_the_estimate_and_infinite_without_variance() -> None:
    assert tango.score(3, 1, 20, 0.1) == pytest.approx(0.0, abs=1e-9)
    assert tango.score(0, 0, 20, 0.0) == 0.0
    assert tango.score(20, 0, 20, -1.0) == math.inf


def test_mcnemar_exact_as_in_fagerland() -> None:
    """Bentur et al. 2009: 1 against 7 discordant pairs, two-sided exact conditional p = 0.0703."""
    assert 2 * superiority.p_value(7, 1) == pytest.approx(0.0703, abs=5e-5)


@given(gains=st.integers(0, 200), losses=st.integers(0, 200))
def test_the_sign_test_is_scipys_binomial_test(gains: int, losses: int) -> None:
    theirs = stats.binomtest(gains, gains + losses, alternative="greater").pvalue if gains + losses else 1.0
    assert superiority.p_value(gains, losses) == pytest.approx(theirs, rel=1e-9)


def test_tango_at_no_difference_is_mcnemars_statistic() -> None:
    """McNemar 1947: (gains - losses)^2 / (gains + losses)."""
    assert tango.score(17, 5, 100, 0.0) ** 2 == pytest.approx((17 - 5) ** 2 / 22)


def test_sign_test_of_all_gains() -> None:
    assert superiority.p_value(5, 0) == 1 / 32
    assert superiority.p_value(0, 0) == 1.0


@pytest.mark.parametrize(("margin", "n"), [(0.05, 59), (0.03, 99), (0.02, 149), (0.01, 299)])
def test_minimum_items_of_a_margin(margin: float, n: int) -> None:
    assert sample_size.non_inferiority_minimum(margin, 0.05) == n
    assert noninferiority.p_value(0, 0, n, margin) == pytest.approx((1 - margin) ** n, rel=1e-9)
    assert noninferiority.p_value(0, 0, n, margin) <= 0.05 < noninferiority.p_value(0, 0, n - 1, margin)


def _by_enumeration(gains: int, losses: int, n: int, margin: Fraction) -> float:
    """The definition: every table, exact multinomial probabilities, a grid over the nuisance."""
    observed = tango.score(gains, losses, n, -float(margin)) - 1e-9
    tables = [
        (g, lost, math.comb(n, g) * math.comb(n - g, lost))
        for g in range(n + 1)
        for lost in range(n + 1 - g)
        if tango.score(g, lost, n, -float(margin)) >= observed
    ]
    best = 0.0
    for i in range(101):
        p_gain = (1 - margin) * i / 200
        p_loss = p_gain + margin
        same = 1 - p_gain - p_loss
        terms = (float(ways * p_gain**g * p_loss**lost * same ** (n - g - lost)) for g, lost, ways in tables)
        best = max(best, math.fsum(terms))
    return best


@pytest.mark.parametrize(
    ("gains", "losses", "n", "margin"),
    [(2, 1, 12, "0.1"), (0, 0, 10, "0.2"), (3, 3, 14, "0.15"), (1, 4, 13, "0.05"), (0, 9, 9, "0.1"), (9, 0, 9, "0.1")],
)
def test_the_exact_p_value_is_the_maximum_over_all_tables(gains: int, losses: int, n: int, margin: str) -> None:
    exact = _by_enumeration(gains, losses, n, Fraction(margin))
    found = noninferiority.p_value(gains, losses, n, float(margin))
    assert exact - 1e-9 <= found <= exact + 2e-3


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 60))
    gains = draw(st.integers(0, n))
    return gains, draw(st.integers(0, n - gains)), n


@given(table=tables(), hundredths=st.integers(1, 40))
def test_the_score_grows_with_gains_and_falls_with_losses(table: tuple[int, int, int], hundredths: int) -> None:
    """Barnard's convexity, on which the exact p-value stands."""
    gains, losses, n = table
    margin = hundredths / 100
    here = tango.score(gains, losses, n, -margin)
    if gains + losses < n:
        assert tango.score(gains + 1, losses, n, -margin) >= here - 1e-9
        assert tango.score(gains, losses + 1, n, -margin) <= here + 1e-9
    if losses > 0:
        assert tango.score(gains + 1, losses - 1, n, -margin) >= here - 1e-9


@settings(deadline=None, max_examples=60)
@given(table=tables(), hundredths=st.integers(1, 40))
def test_the_exact_p_value_is_a_probability_that_falls_with_gains(table: tuple[int, int, int], hundredths: int) -> None:
    gains, losses, n = table
    p = noninferiority.p_value(gains, losses, n, hundredths / 100)
    assert 0 < p <= 1
    if gains + losses < n:
        assert noninferiority.p_value(gains + 1, losses, n, hundredths / 100) <= p + 1e-9


@pytest.mark.parametrize(("gains", "losses", "n", "margin"), [(300, 400, 5000, 0.02), (60, 70, 2000, 0.01)])
def test_thousands_of_items_take_well_under_a_second(gains: int, losses: int, n: int, margin: float) -> None:
    begun = time.process_time()
    noninferiority.p_value(gains, losses, n, margin)
    assert time.process_time() - begun < 1.0


def test_the_exact_p_value_is_no_smaller_than_a_calibrated_one() -> None:
    """At 240 items and 5 % the exact and the asymptotic p-value agree to a third (Tango's is the bolder)."""
    exact = noninferiority.p_value(3, 5, 240, 0.05)
    asymptotic = upper_tail(tango.score(3, 5, 240, -0.05))
    assert asymptotic <= exact <= asymptotic * 1.5


def test_needed_items() -> None:
    assert sample_size.non_inferiority_needed(0, 0, 72, 0.03, 0.05) == 99
    assert sample_size.non_inferiority_needed(0, 20, 100, 0.05, 0.05) is None
    assert sample_size.superiority_needed(0, 0, 100, 1.0, 0.05) is None
    assert sample_size.superiority_needed(2, 0, 40, 0.25, 0.05) == 238
    assert sample_size.superiority_needed(1, 2, 30, 0.875, 0.05) == 50
