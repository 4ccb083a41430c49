"""Items that share an intent: the bootstrap's interval and error, and the exact gate on clustered counts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from feedbackloop.domain.statistics import noninferiority
from feedbackloop.domain.statistics.bootstrap import paired_bootstrap
from feedbackloop.domain.statistics.clustered import ClusterCounts, effective

ALPHA = 0.05
REPLICATES = 999


def bootstrap_errors(clusters: int, count: int, seed: int) -> tuple[float, float]:
    """The coverage of the 90 % interval, and the share shown below a limit that is exactly the mean.

    Log-normal differences (skewness about 4), three items a cluster, correlated by 0.4.
    """
    found = [_bootstrap(clusters, np.random.default_rng((seed, i)), i) for i in range(count)]
    covered, shown = (float(share) for share in np.mean(found, axis=0))
    return covered, shown


def _bootstrap(clusters: int, rng: np.random.Generator, seed: int) -> tuple[bool, bool]:
    shared, own = rng.normal(0, math.sqrt(0.4), (clusters, 1)), rng.normal(0, math.sqrt(0.6), (clusters, 3))
    values, mean = np.exp(shared + own).ravel().tolist(), math.exp(0.5)
    names = [i // 3 for i in range(3 * clusters)]
    found = paired_bootstrap(values, names, limit=mean, alpha=ALPHA, seed=seed, replicates=REPLICATES)
    return found.lower <= mean <= found.upper, found.p_value <= ALPHA


def false_ship(
    alike: float, count: int, seed: int, *, margin: float = 0.05, clusters: int = 100
) -> tuple[float, float]:
    """A candidate at the margin on four phrasings of each intent: shipped by clustered counts, and by plain ones.

    With probability `alike` a phrasing does what its intent does.
    """
    rng = np.random.default_rng((seed, round(100 * alike)))
    found = [_gate(_items(alike, margin, clusters, rng), margin) for _ in range(count)]
    clustered, plain = (float(share) for share in np.mean(found, axis=0))
    return clustered, plain


def _items(alike: float, margin: float, clusters: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    chances = (margin + 0.02, 0.98 - margin - 0.02, 0.02)
    shared, own = (rng.choice(np.array((-1, 0, 1)), (clusters, width), p=chances) for width in (1, 4))
    return np.where(rng.random((clusters, 4)) < alike, shared, own)


def _gate(items: npt.NDArray[np.int64], margin: float) -> tuple[bool, bool]:
    found = effective([ClusterCounts(int((c > 0).sum()), int((c < 0).sum()), len(c)) for c in items])
    gains, losses = int((items > 0).sum()), int((items < 0).sum())
    return _p(found.gains, found.losses, found.n, margin) <= ALPHA, _p(gains, losses, items.size, margin) <= ALPHA


@cache
def _p(gains: int, losses: int, n: int, margin: float) -> float:
    return noninferiority.p_value(gains, losses, n, margin)
