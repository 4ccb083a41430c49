"""Exact binomial tails and the Clopper-Pearson interval.

Clopper, Pearson: The use of confidence or fiducial limits illustrated in the case of the
binomial. Biometrika 26 (1934) 404-413.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Interval(NamedTuple):
    lower: float
    upper: float


def log_pmf(k: int, n: int, p: float) -> float:
    """log P(X = k) for X ~ Binomial(n, p) with p inside (0, 1)."""
    log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return log_choose + k * math.log(p) + (n - k) * math.log1p(-p)


def upper_tail(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p)."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    return min(1.0, math.fsum(math.exp(log_pmf(i, n, p)) for i in range(k, n + 1)))


def lower_tail(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p)."""
    return upper_tail(n - k, n, 1 - p)


def fair_upper_tail(k: int, n: int) -> float:
    """P(X >= k) for X ~ Binomial(n, 1/2), in integers, so correctly rounded."""
    if k <= 0:
        return 1.0
    term = total = 1 if k <= n else 0
    for i in range(n, k, -1):
        term = term * i // (n - i + 1)
        total += term
    return float(total / (1 << n))


def clopper_pearson(k: int, n: int, confidence: float) -> Interval:
    """The exact interval for the probability behind `k` events of `n`."""
    if not 0 <= k <= n or n == 0:
        raise ValueError("clopper_pearson needs 0 <= k <= n and n > 0")
    tail = (1 - confidence) / 2
    lower = 0.0 if k == 0 else _probability_with_upper_tail(k, n, tail)
    upper = 1.0 if k == n else 1 - _probability_with_upper_tail(n - k, n, tail)
    return Interval(lower, upper)


def _probability_with_upper_tail(k: int, n: int, tail: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(k, n, middle) < tail else (low, middle)
    return (low + high) / 2
