"""Offline gates, exactly: the chance that a gate ships, summed over all tables of paired counts."""

from __future__ import annotations

import math
from functools import lru_cache

from feedbackloop.domain.statistics import noninferiority, tango
from feedbackloop.domain.statistics.binomial import Interval, clopper_pearson, log_pmf

ALPHA = 0.05


@lru_cache(maxsize=64)
def frontier(n: int, margin: float, most_gains: int) -> tuple[int, ...]:
    """For each number of gains the most losses with which the gate is Successful; -1 for none.

    The p-value falls with the score, so the gate opens at one critical score, found by bisection over all scores.
    """
    lowest = critical(n, margin, ALPHA)
    edge: list[int] = []
    losses = -1
    for gains in range(most_gains + 1):
        while gains + losses + 1 <= n and tango.score(gains, losses + 1, n, -margin) > lowest - 1e-9:
            losses += 1
        edge.append(losses)
    return tuple(edge)


@lru_cache(maxsize=4096)
def critical(n: int, margin: float, alpha: float) -> float:
    """The smallest score whose exact p-value is at most alpha; the best table has one, from the allowed n on."""
    most = min(n, math.ceil(0.3 * n) + 30)
    tables = [(tango.score(g, x, n, -margin), g, x) for g in range(most + 1) for x in range(min(most, n - g) + 1)]
    tables = sorted(t for t in tables if 1.0 <= t[0] <= 6.0)
    low, high = 0, len(tables) - 1
    while low < high:
        middle = (low + high) // 2
        _, gains, losses = tables[middle]
        shown = noninferiority.p_value(gains, losses, n, margin) <= alpha
        low, high = (low, middle) if shown else (middle + 1, high)
    return tables[low][0]


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


def worst_tango_coverage(n: int) -> float:
    """The lowest exact coverage of the 90 % Tango interval over shares of items that change and true differences."""
    truths = [(churn, d) for churn in (0.05, 0.1, 0.2, 0.4) for d in (0.0, -0.02, -0.05, -0.1) if abs(d) <= churn]
    return min(tango_coverage(n, churn, difference) for churn, difference in truths)


def worst_clopper_pearson_coverage(n: int) -> float:
    """The lowest exact coverage of the 95 % Clopper-Pearson interval, over shares from 0.5 % to 50 %."""
    intervals = [clopper_pearson(k, n, 0.95) for k in range(n + 1)]
    return min(_clopper_pearson_coverage(intervals, n, p / 1000) for p in range(5, 501, 5))


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


def _clopper_pearson_coverage(intervals: list[Interval], n: int, p: float) -> float:
    return math.fsum(_binomial(k, n, p) for k, i in enumerate(intervals) if i.lower <= p <= i.upper)
