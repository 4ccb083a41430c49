"""Studentised paired bootstrap of a mean difference, over clusters of items that share an intent.

Whole clusters are drawn again, so what the items of one have in common cannot pass for independent evidence. Each
replicate's mean is divided by its own cluster-robust standard error (bootstrap-t), which corrects for skew to second
order. Hall: The Bootstrap and Edgeworth Expansion (1992), section 3.3; Efron, Tibshirani: An Introduction to the
Bootstrap (1993), section 12.5; clusters: Cameron, Gelbach, Miller, Review of Economics and Statistics 90 (2008)
414-427.
"""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Sequence
from operator import mul
from typing import NamedTuple

from feedbackloop.domain.statistics.normal import upper_quantile

FEWEST_CLUSTERS = 50
"""Below it the bootstrap's own error is too large: a gate is Inconclusive."""
REPLICATES = 2000


class Bootstrap(NamedTuple):
    clusters: int
    mean: float
    """Of the differences, candidate minus champion, over all items."""
    standard_error: float
    lower: float
    upper: float
    """The interval at 1 - 2 alpha."""
    p_value: float
    """One-sided: of the mean being at or over the limit, against below."""


class _Columns(NamedTuple):
    """Per cluster: the sum of its differences and the number of its items."""

    sums: Sequence[float]
    sizes: Sequence[float]


class _Estimate(NamedTuple):
    mean: float
    error: float


def paired_bootstrap(
    differences: Sequence[float],
    clusters: Sequence[Hashable] | None,
    *,
    limit: float,
    alpha: float,
    seed: int,
    replicates: int = REPLICATES,
) -> Bootstrap:
    """Is the mean of `differences` (candidate minus champion, one an item) below `limit`?

    `clusters` names the intent of each item; None: every item stands alone. The same seed gives the same numbers.
    Raises ValueError when there are no items, when lengths differ, or when a difference is not a finite number.
    """
    _check(differences, clusters)
    columns = _columns(differences, clusters)
    estimate = _estimate(columns)
    if estimate.error == 0:
        return _without_spread(len(columns.sums), estimate.mean, limit, replicates)
    studentised = sorted(_studentised(columns, estimate.mean, random.Random(seed), replicates))
    as_low = sum(t <= _ratio(estimate.mean - limit, estimate.error) for t in studentised)
    low, high = (studentised[_rank(share, replicates)] for share in (alpha, 1 - alpha))
    return Bootstrap(
        clusters=len(columns.sums),
        mean=estimate.mean,
        standard_error=estimate.error,
        lower=estimate.mean - high * estimate.error,
        upper=estimate.mean - low * estimate.error,
        p_value=(1 + as_low) / (1 + replicates),
    )


def clusters_needed(found: Bootstrap, limit: float, alpha: float) -> int | None:
    """About how many clusters the observed mean and spread need; None when the mean is not below `limit`."""
    if found.mean >= limit:
        return None
    deviations = upper_quantile(alpha) * found.standard_error / (limit - found.mean)
    return max(FEWEST_CLUSTERS, found.clusters + 1, math.ceil(found.clusters * deviations**2))


def _without_spread(clusters: int, mean: float, limit: float, replicates: int) -> Bootstrap:
    """Every item differs by the same amount: the smallest p-value that so many replicates can give, or 1."""
    return Bootstrap(clusters, mean, 0.0, mean, mean, 1 / (1 + replicates) if mean < limit else 1.0)


def _check(differences: Sequence[float], clusters: Sequence[Hashable] | None) -> None:
    if not differences:
        raise ValueError("the bootstrap needs at least one item")
    if clusters is not None and len(clusters) != len(differences):
        raise ValueError("the bootstrap needs one cluster name for each item")
    if not all(map(math.isfinite, differences)):
        raise ValueError("the bootstrap needs finite numbers: a difference is missing, infinite or not a number")


def _columns(differences: Sequence[float], clusters: Sequence[Hashable] | None) -> _Columns:
    if clusters is None:
        return _Columns(list(differences), [1.0] * len(differences))
    grouped: dict[Hashable, list[float]] = {}
    for name, difference in zip(clusters, differences, strict=True):
        grouped.setdefault(name, []).append(difference)
    return _Columns([math.fsum(g) for g in grouped.values()], [float(len(g)) for g in grouped.values()])


def _estimate(columns: _Columns) -> _Estimate:
    """The mean over items and its cluster-robust standard error (a ratio estimator, linearised)."""
    sums, sizes = columns
    n, count = sum(sizes), len(sums)
    mean = sum(sums) / n
    squares = sum(map(mul, sums, sums)) - 2 * mean * sum(map(mul, sums, sizes)) + mean**2 * sum(map(mul, sizes, sizes))
    tiny = 1e-12 * sum(map(mul, sums, sums))
    if count < 2 or squares <= tiny:
        return _Estimate(mean, 0.0)
    return _Estimate(mean, math.sqrt(squares * count / (count - 1)) / n)


def _studentised(columns: _Columns, mean: float, rng: random.Random, replicates: int) -> list[float]:
    sums = [s - mean * m for s, m in zip(*columns, strict=True)]
    sizes, everyone = columns.sizes, range(len(columns.sums))
    result = []
    for _ in range(replicates):
        drawn = rng.choices(everyone, k=len(everyone))
        again = _estimate(_Columns([sums[i] for i in drawn], [sizes[i] for i in drawn]))
        result.append(_ratio(again.mean, again.error))
    return result


def _ratio(difference: float, error: float) -> float:
    """A studentised difference; without any spread it is infinitely far, or nowhere."""
    if error > 0:
        return difference / error
    return 0.0 if difference == 0 else math.copysign(math.inf, difference)


def _rank(share: float, replicates: int) -> int:
    return min(replicates - 1, max(0, math.floor(share * (replicates + 1) + 0.5) - 1))
