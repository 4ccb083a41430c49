"""The beta function and its regularised incomplete form, by Lentz's continued fraction.

Press et al.: Numerical Recipes, 3rd ed. (2007), section 6.4.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_MOST = 10_000
_EXACT = 1e-14


def log_beta(a: float, b: float) -> float:
    """log B(a, b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def lower(x: float, a: float, b: float) -> float:
    """P(X <= x) for X ~ Beta(a, b)."""
    return math.exp(log_lower(x, a, b))


def log_lower(x: float, a: float, b: float) -> float:
    """log P(X <= x) for X ~ Beta(a, b), accurate where the probability vanishes; -inf at 0."""
    if x <= 0:
        return -math.inf
    if x >= 1:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return math.log1p(-min(math.exp(_log_front(1 - x, b, a)), 1 - 1e-16))
    return min(0.0, _log_front(x, a, b))


def log_upper(x: float, a: float, b: float) -> float:
    """log P(X >= x) for X ~ Beta(a, b)."""
    return log_lower(1 - x, b, a)


def _log_front(x: float, a: float, b: float) -> float:
    """The logarithm of the incomplete beta function by its continued fraction; for x below the mean."""
    front = a * math.log(x) + b * math.log1p(-x) - log_beta(a, b) - math.log(a)
    return front + math.log(_fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST):
        for term in (_even(m, x, a, b), _odd(m, x, a, b)):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return value


def _even(m: int, x: float, a: float, b: float) -> float:
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _odd(m: int, x: float, a: float, b: float) -> float:
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
