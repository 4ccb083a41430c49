from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from feedbackloop.domain.statistics.beta import log_beta, log_lower, log_upper, lower
from feedbackloop.domain.statistics.normal import log_lower_tail

positive = st.floats(0.5, 5000)


@given(a=positive, b=positive, x=st.floats(0.001, 0.999))
def test_the_incomplete_beta_function_is_scipys(a: float, b: float, x: float) -> None:
    assert lower(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), rel=1e-8, abs=1e-12)
    assert log_beta(a, b) == pytest.approx(float(special.betaln(a, b)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("a", "b", "x"), [(400, 300, 0.5), (2000, 1500, 0.4), (50, 50, 0.45), (150, 50, 0.45)])
def test_vanishing_tails_keep_their_logarithm(a: float, b: float, x: float) -> None:
    assert log_lower(x, a, b) == pytest.approx(stats.beta.logcdf(x, a, b), rel=1e-9)
    assert log_upper(1 - x, b, a) == pytest.approx(stats.beta.logcdf(x, a, b), rel=1e-9)


def test_the_ends() -> None:
    assert (log_lower(0.0, 2, 3), log_lower(1.0, 2, 3)) == (-math.inf, 0.0)


@pytest.mark.parametrize("z", [-200.0, -40.0, -26.0, -24.0, -5.0, 0.0, 3.0, 40.0])
def test_the_logarithm_of_a_normal_tail_is_scipys(z: float) -> None:
    assert log_lower_tail(z) == pytest.approx(stats.norm.logcdf(z), rel=1e-6, abs=1e-12)
