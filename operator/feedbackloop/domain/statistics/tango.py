"""Tango's score statistic for the difference of paired proportions, and the interval it inverts to.

Tango: Equivalence test and confidence interval for the difference in proportions for the
paired-sample design. Statistics in Medicine 17 (1998) 891-908, equations 4, 8 and 10.
The difference is P(gain) - P(loss): `gains` are the pairs only the candidate gets right,
`losses` those only the champion gets right.
"""

from __future__ import annotations

import math

from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.normal import upper_quantile


def score(gains: int, losses: int, n: int, difference: float) -> float:
    """Standard normal, to first order, when the true difference is `difference`; falls as that grows."""
    numerator = gains - losses - n * difference
    variance = n * (2 * restricted_loss(gains, losses, n, difference) + difference * (1 - difference))
    if variance <= 1e-12 * n:
        return 0.0 if abs(numerator) < 1e-9 else math.copysign(math.inf, numerator)
    return numerator / math.sqrt(variance)


def restricted_loss(gains: int, losses: int, n: int, difference: float) -> float:
    """The maximum-likelihood P(loss) given that P(gain) = P(loss) + `difference`."""
    b = -gains - losses + (2 * n - gains + losses) * difference
    c = -losses * difference * (1 - difference)
    root = math.sqrt(max(0.0, b * b - 8 * n * c))
    return (root - b) / (4 * n)


def interval(gains: int, losses: int, n: int, confidence: float) -> Interval:
    """The differences that a two-sided score test at 1 - `confidence` does not reject."""
    z = upper_quantile((1 - confidence) / 2)
    estimate = (gains - losses) / n
    lower = _where_score_is(z, gains, losses, n, (-1.0, estimate))
    upper = _where_score_is(-z, gains, losses, n, (estimate, 1.0))
    return Interval(lower, upper)


def _where_score_is(z: float, gains: int, losses: int, n: int, bracket: tuple[float, float]) -> float:
    low, high = bracket
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if score(gains, losses, n, middle) > z else (low, middle)
    return (low + high) / 2
