"""Exact unconditional test of non-inferiority on pairs.

The p-value of Tango's score statistic, maximised over the nuisance parameter (the share of
discordant pairs): Hsueh, Liu, Chen: Unconditional exact tests for equivalence or noninferiority
for paired binary endpoints. Biometrics 57 (2001) 478-483. They show that the maximum lies on the
boundary P(gain) = P(loss) - margin, because the statistic grows with the gains and falls with the
losses (Barnard's convexity), which leaves one nuisance parameter.

The same convexity makes the sum over tables cheap: the tables at least as extreme are, for each
number of gains, those with at most so many losses. The losses given the gains are binomial, and
their distribution function is carried from one number of gains to the next by
F(k; n-1) = F(k; n) + r f(k; n-1), so one nuisance value costs a few hundred steps.

The maximum is sought on a grid that is even in arcsin(sqrt(discordance)), one standard deviation of
the discordant count apart (half of one for small n), and then refined around the best grid points:
the p-value is an average over that count, so it cannot swing between neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from feedbackloop.domain.statistics.tango import score

_TIE = 1e-9
_SMALL = 1000
_REFINED = 3


class _Region(NamedTuple):
    """The tables at least as extreme as the observed one."""

    n: int
    margin: float
    most_losses: tuple[int, ...]
    """For each number of gains the most losses that still belong to it; -1 for none."""
    log_factorial: tuple[float, ...]


def p_value(gains: int, losses: int, n: int, margin: float) -> float:
    """The largest P(a table at least as extreme) over all truths with P(gain) - P(loss) <= -margin."""
    region = _Region(n, margin, _most_losses(gains, losses, n, margin), _log_factorials(n))
    start, end = math.asin(math.sqrt(margin)), math.pi / 2
    points = max(16, math.ceil((end - start) * math.sqrt(n) * (2 if n > _SMALL else 4)))
    width = (end - start) / points
    grid = [start + width * i for i in range(points + 1)]
    values = [_probability(region, angle) for angle in grid]
    best = sorted(range(len(grid)), key=lambda i: -values[i])[:_REFINED]
    refined = [_peak(lambda a: _probability(region, a), *_around(grid[i], width, start, end)) for i in best]
    return min(1.0, max(*values, *refined))


def _most_losses(gains: int, losses: int, n: int, margin: float) -> tuple[int, ...]:
    observed = score(gains, losses, n, -margin) - _TIE
    result, most = [], -1
    for g in range(n + 1):
        while most < n - g and score(g, most + 1, n, -margin) >= observed:
            most += 1
        result.append(min(most, n - g))
    return tuple(result)


def _log_factorials(n: int) -> tuple[float, ...]:
    return tuple(math.lgamma(k + 1) for k in range(n + 1))


def _probability(region: _Region, angle: float) -> float:
    """P(region) when the discordance is sin(angle)^2 and P(gain) = P(loss) - margin."""
    discordance = min(1.0, math.sin(angle) ** 2)
    p_gain = max(0.0, (discordance - region.margin) / 2)
    p_loss = discordance - p_gain
    rest = min(1.0, p_loss / (1 - p_gain))
    total = 0.0
    losses = _LossesBelow(region, _first(region.n, p_gain), rest)
    for gains in range(losses.gains, _last(region.n, p_gain) + 1):
        below = losses.advance(gains)
        total += _pmf(region, gains, region.n, p_gain) * below
    return total


def _first(n: int, p: float) -> int:
    return max(0, math.floor(n * p - 9 * math.sqrt(n * p * (1 - p))))


def _last(n: int, p: float) -> int:
    return min(n, math.ceil(n * p + 9 * math.sqrt(n * p * (1 - p)) + 30)) if p > 0 else 0


def _pmf(region: _Region, k: int, n: int, p: float) -> float:
    if k < 0 or k > n:
        return 0.0
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    log = region.log_factorial
    return math.exp(log[n] - log[k] - log[n - k] + k * math.log(p) + (n - k) * math.log1p(-p))


class _LossesBelow:
    """P(losses <= the region's most | gains), carried along increasing gains."""

    def __init__(self, region: _Region, gains: int, rest: float) -> None:
        self.region, self.gains, self.rest = region, gains, rest
        self.most = region.most_losses[gains]
        trials = region.n - gains
        terms = range(_first(trials, rest), self.most + 1)
        self.below = math.fsum(_pmf(region, k, trials, rest) for k in terms)

    def advance(self, gains: int) -> float:
        while self.gains < gains:
            self._one_more_gain()
        return 1.0 if self.most >= self.region.n - self.gains else min(1.0, self.below)

    def _one_more_gain(self) -> None:
        self.gains += 1
        trials = self.region.n - self.gains
        self.below += self.rest * _pmf(self.region, self.most, trials, self.rest)
        while self.most < self.region.most_losses[self.gains]:
            self.most += 1
            self.below += _pmf(self.region, self.most, trials, self.rest)


def _around(point: float, width: float, start: float, end: float) -> tuple[float, float]:
    return max(start, point - width), min(end, point + width)


def _peak(function: Callable[[float], float], low: float, high: float) -> float:
    """The largest value that a ternary search of [low, high] comes across."""
    best = 0.0
    for _ in range(12):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        at_left, at_right = function(left), function(right)
        best = max(best, at_left, at_right)
        low, high = (left, high) if at_left < at_right else (low, right)
    return best
