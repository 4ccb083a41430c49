"""Offline gates, exactly: the chance that a gate ships, summed over all tables of paired counts."""

from __future__ import annotations

import math
from functools import lru_cache

from feedbackloop.domain.statistics import noninferiority, tango
from feedbackloop.domain.statistics.binomial import clopper_pearson, log_pmf

ALPHA = 0.05


@lru_cache(maxsize=64)
def frontier(n: int, margin: float, most_gains: int) -> tuple[int, ...]:
    """For each number of gains the most losses with which the gate is Successful; -1 for none.

    The p-value falls with the gains and rises with the losses, so one walk along the edge finds it.
    """
    edge: list[int] = []
    losses = -1
    for gains in range(most_gains + 1):
        while gains + losses + 1 <= n and noninferiority.p_value(gains, losses + 1, n, margin) <= ALPHA:
            losses += 1
        edge.append(losses)
    return tuple(edge)


def ships(n: int, margin: float, churn: float, difference: float) -> float:
    """P(Successful) when a share `churn` of items changes and P(gain) - P(loss) is `difference`."""
    p_gain, p_loss = (churn + difference) / 2, (churn - difference) / 2
    most_gains = min(n, _far(n, p_gain))
    edge = frontier(n, margin, most_gains)
    return math.fsum(
        _binomial(gains, n, p_gain) * _at_most(edge[gains], n - gains, p_loss / (1 - p_gain))
        for gains in range(most_gains + 1)
    )


def _far(n: int, p: float) -> int:
    """A number of gains beyond which practically nothing lies."""
    return math.ceil(n * p + 7 * math.sqrt(n * p * (1 - p)) + 3)


def _binomial(k: int, n: int, p: float) -> float:
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    return math.exp(log_pmf(k, n, p))


def _at_most(k: int, n: int, p: float) -> float:
    return math.fsum(_binomial(i, n, p) for i in range(min(k, n) + 1))


def worst_false_ship(n: int, margin: float) -> float:
    """The highest P(Successful) of a candidate exactly at the margin, over the shares of items that change."""
    churns = sorted({margin, *(margin + (0.4 - margin) * (i / 8) ** 2 for i in range(9))})
    return max(ships(n, margin, churn, -margin) for churn in churns)


def tango_coverage(n: int, churn: float, difference: float) -> float:
    """The exact coverage of the 90 % Tango interval that is shown beside the p-value."""
    p_gain, p_loss = (churn + difference) / 2, (churn - difference) / 2
    total = 0.0
    for gains in range(_far(n, p_gain) + 1):
        for losses in range(min(n - gains, _far(n, p_loss)) + 1):
            weight = _binomial(gains, n, p_gain) * _binomial(losses, n - gains, p_loss / (1 - p_gain))
            if weight > 1e-9:
                interval = tango.interval(gains, losses, n, 0.90)
                total += weight * (interval.lower <= difference <= interval.upper)
    return total


def clopper_pearson_coverage(n: int, p: float) -> float:
    """The exact coverage of the 95 % Clopper-Pearson interval."""
    intervals = [clopper_pearson(k, n, 0.95) for k in range(n + 1)]
    return math.fsum(_binomial(k, n, p) for k, i in enumerate(intervals) if i.lower <= p <= i.upper)
