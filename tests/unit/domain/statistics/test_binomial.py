"""Published values: Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, and binomial tables."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from feedbackloop.domain.statistics.binomial import clopper_pearson, fair_upper_tail, lower_tail, upper_tail
from feedbackloop.domain.statistics.normal import upper_quantile
from feedbackloop.domain.statistics.normal import upper_tail as normal_tail


@pytest.mark.parametrize(
    ("k", "n", "lower", "upper"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_as_in_newcombe_1998(k: int, n: int, lower: float, upper: float) -> None:
    assert clopper_pearson(k, n, 0.95) == pytest.approx((lower, upper), abs=5e-5)


@given(n=st.integers(1, 400), share=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_clopper_pearson_is_scipys(n: int, share: float, confidence: float) -> None:
    k = round(share * n)
    theirs = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    assert clopper_pearson(k, n, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(n=st.integers(1, 3000), share=st.floats(0, 1), p=st.floats(0.001, 0.999))
def test_tails_are_scipys(n: int, share: float, p: float) -> None:
    k = round(share * n)
    assert upper_tail(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-8, abs=1e-12)
    assert lower_tail(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), rel=1e-8, abs=1e-12)


def test_the_rule_of_three() -> None:
    assert clopper_pearson(0, 300, 0.90).upper == pytest.approx(3 / 300, rel=0.01)


@pytest.mark.parametrize(
    ("k", "n", "p", "cumulative"), [(3, 10, 0.3, 0.6496), (5, 20, 0.25, 0.6172), (10, 15, 0.5, 0.9408)]
)
def test_lower_tail_as_in_binomial_tables(k: int, n: int, p: float, cumulative: float) -> None:
    assert lower_tail(k, n, p) == pytest.approx(cumulative, abs=5e-5)


@given(n=st.integers(1, 60), k=st.integers(-1, 61), thousandths=st.integers(0, 1000))
def test_upper_tail_is_the_exact_sum(n: int, k: int, thousandths: int) -> None:
    p = Fraction(thousandths, 1000)
    exact = sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(0, k), n + 1)), Fraction(0))
    assert upper_tail(k, n, float(p)) == pytest.approx(float(exact), abs=1e-12)


@given(n=st.integers(0, 300), k=st.integers(-1, 301))
def test_fair_upper_tail_is_the_exact_sum(n: int, k: int) -> None:
    exact = Fraction(sum(math.comb(n, i) for i in range(max(0, k), n + 1)), 2**n)
    assert fair_upper_tail(k, n) == float(exact)


@pytest.mark.parametrize(("probability", "z"), [(0.05, 1.644854), (0.025, 1.959964), (0.5, 0.0), (0.95, -1.644854)])
def test_normal_quantiles(probability: float, z: float) -> None:
    assert upper_quantile(probability) == pytest.approx(z, abs=1e-6)
    assert normal_tail(z) == pytest.approx(probability, abs=1e-6)


def test_quantiles_and_intervals_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="quantile"):
        upper_quantile(0.0)
    with pytest.raises(ValueError, match="clopper_pearson"):
        clopper_pearson(3, 2, 0.95)
