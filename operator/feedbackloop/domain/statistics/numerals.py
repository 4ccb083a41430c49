"""Real numbers as decimal strings: the API has no floats, and every verdict carries its numbers."""

from __future__ import annotations

import math

_LARGEST_EXPONENT = 300


def numeral(value: float, digits: int = 4) -> str:
    """`value` with `digits` significant digits, always a finite decimal number."""
    if math.isnan(value):
        raise ValueError("not a number has no numeral")
    largest = 10.0**_LARGEST_EXPONENT
    return f"{max(-largest, min(largest, value)):.{digits}g}"


def numeral_of_log(log_value: float, digits: int = 4) -> str:
    """exp(`log_value`), which as a float might overflow or vanish."""
    exponent = log_value / math.log(10)
    if abs(exponent) < _LARGEST_EXPONENT:
        return numeral(math.exp(log_value), digits)
    return f"1e{'+' if exponent > 0 else '-'}{_LARGEST_EXPONENT}"


def percent(value: float) -> str:
    """A share for people: 0.125 is `12.5 %`."""
    return f"{100 * value:.3g} %"
