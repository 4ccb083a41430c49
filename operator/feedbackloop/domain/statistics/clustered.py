"""Counts of items that share an intent, as the counts of fewer items that stand alone.

Items of one cluster tend to go right or wrong together, so n of them tell less than n. The design effect, the
cluster-robust variance of the mean over the variance of as many independent items, divides the counts, and the same
exact tests are then made on what is left: Rao, Scott: A simple method for the analysis of clustered binary data.
Biometrics 48 (1992) 577-585. They round against the candidate.

With few discordant items the design effect cannot be estimated: without any, the items would count in full. So it is
estimated with one more cluster, of the average size, whose items all fail together. Then a set without a discordant
item counts as its clusters do, and with more of them the estimate takes over.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

_ROUNDING = 1e-9


class ClusterCounts(NamedTuple):
    """Of one cluster. For a share of failures (a Ceiling gate) the failures are losses, and nothing is gained."""

    gains: int
    losses: int
    n: int


class Effective(NamedTuple):
    gains: int
    losses: int
    n: int
    """The counts to test with, rounded against the candidate."""
    design_effect: float
    """At least 1: by how much the clusters lessen the evidence."""
    clusters: int


def effective(clusters: Sequence[ClusterCounts]) -> Effective:
    """The counts of as many independent items as the clusters are worth.

    Raises ValueError when there is no item, or when a cluster has impossible counts.
    """
    _check(clusters)
    by = design_effect(clusters)
    gains, losses, n = (sum(c[i] for c in clusters) for i in range(3))
    fewer = math.floor(n / by + _ROUNDING)
    lost = min(math.ceil(losses / by - _ROUNDING), fewer)
    gained = min(math.floor(gains / by + _ROUNDING), fewer - lost)
    return Effective(gained, lost, fewer, by, len(clusters))


def by_cluster(names: Iterable[Hashable], scores: Iterable[tuple[bool, bool]]) -> list[ClusterCounts]:
    """The clusters of items given as (champion right, candidate right), in the order in which they first appear."""
    found: dict[Hashable, ClusterCounts] = {}
    for name, (champion, candidate) in zip(names, scores, strict=True):
        old = found.get(name, ClusterCounts(0, 0, 0))
        gained, lost = candidate and not champion, champion and not candidate
        found[name] = ClusterCounts(old.gains + gained, old.losses + lost, old.n + 1)
    return list(found.values())


def design_effect(clusters: Sequence[ClusterCounts]) -> float:
    """The variance of the mean difference over that of independent items, shrunk towards whole clusters; at least 1."""
    n = sum(c.n for c in clusters)
    size = sum(c.n * c.n for c in clusters) / n
    mean = sum(c.gains - c.losses for c in clusters) / n
    together = sum((c.gains - c.losses - mean * c.n) ** 2 for c in clusters)
    alone = sum(c.gains + c.losses for c in clusters) - n * mean * mean
    return min(max(1.0, (together + size * size) / (alone + size)), size)


def _check(clusters: Sequence[ClusterCounts]) -> None:
    if not clusters:
        raise ValueError("clustered counts need at least one cluster")
    if any(min(c) < 0 or c.n == 0 or c.gains + c.losses > c.n for c in clusters):
        raise ValueError("a cluster's counts are impossible: negative, empty, or more than its items")
