from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.domain.statistics.numerals import numeral, numeral_of_log, percent


@given(st.floats(allow_nan=False, width=64))
def test_a_numeral_is_a_short_finite_number(value: float) -> None:
    text = numeral(value)
    assert len(text) <= 40
    assert math.isfinite(float(text))


@pytest.mark.parametrize(
    ("log_value", "text"), [(0.0, "1"), (math.log(20), "20"), (5000.0, "1e+300"), (-5000.0, "1e-300")]
)
def test_a_numeral_of_a_logarithm_never_overflows(log_value: float, text: str) -> None:
    assert numeral_of_log(log_value) == text


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="numeral"):
        numeral(math.nan)


def test_percent() -> None:
    assert percent(0.125) == "12.5 %"
