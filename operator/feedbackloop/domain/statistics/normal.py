"""The standard normal distribution, from `math.erfc`."""

from __future__ import annotations

import math


def upper_tail(z: float) -> float:
    """P(Z >= z)."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def upper_quantile(probability: float) -> float:
    """The z with P(Z >= z) = `probability`, by bisection (exact to about 1e-12)."""
    if not 0 < probability < 1:
        raise ValueError("a quantile needs a probability inside (0, 1)")
    low, high = -40.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(middle) > probability else (low, middle)
    return (low + high) / 2
