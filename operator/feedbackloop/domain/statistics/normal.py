"""The standard normal distribution, from `math.erfc`."""

from __future__ import annotations

import math

_FAR = -25.0


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


def log_lower_tail(z: float) -> float:
    """log P(Z <= z), also where the probability itself would vanish (Mills' ratio, to 1e-5 there)."""
    if z > _FAR:
        return math.log(upper_tail(-z))
    return -z * z / 2 - math.log(-z * math.sqrt(2 * math.pi)) + math.log1p(-1 / (z * z) + 3 / z**4)
