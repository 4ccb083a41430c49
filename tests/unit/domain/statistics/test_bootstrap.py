"""The studentised paired bootstrap: against SciPy's, by hand, its errors and its speed."""

from __future__ import annotations

import math
import random
import time

import numpy as np
import pytest
from scipy import stats

from feedbackloop.domain.statistics.bootstrap import FEWEST_CLUSTERS, clusters_needed, paired_bootstrap


def normal(n: int, mean: float, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(mean, 1) for _ in range(n)]


def test_the_interval_and_the_p_value_are_like_scipys() -> None:
    """SciPy's BCa interval and the t-test agree with it on normal values to the bootstrap's own error."""
    values = normal(200, 0.1, 3)
    found = paired_bootstrap(values, None, limit=0.25, alpha=0.05, seed=7)
    theirs = stats.bootstrap((np.array(values),), np.mean, confidence_level=0.9, rng=np.random.default_rng(7))
    assert (found.lower, found.upper) == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    assert found.standard_error == pytest.approx(stats.sem(values))
    assert found.p_value == pytest.approx(stats.ttest_1samp(values, 0.25, alternative="less").pvalue, abs=0.01)


def test_the_interval_is_the_one_of_a_studentised_bootstrap_by_numpy() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 150)
    rng, n = np.random.default_rng(2), 150
    drawn = values[rng.integers(0, n, (20_000, n))]
    t = (drawn.mean(axis=1) - values.mean()) / (drawn.std(axis=1, ddof=1) / math.sqrt(n))
    low, high = np.quantile(t, [0.05, 0.95])
    error = values.std(ddof=1) / math.sqrt(n)
    found = paired_bootstrap(list(values), None, limit=1.0, alpha=0.05, seed=3, replicates=4000)
    expected = (values.mean() - high * error, values.mean() - low * error)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=0.05)


def test_clusters_widen_the_interval_to_that_of_their_means() -> None:
    """80 clusters of five identical items say as much as 80 items."""
    values = normal(80, 0.0, 4)
    repeated = [v for v in values for _ in range(5)]
    alone = paired_bootstrap(values, None, limit=0.5, alpha=0.05, seed=5)
    clustered = paired_bootstrap(repeated, [i // 5 for i in range(400)], limit=0.5, alpha=0.05, seed=5)
    assert clustered.clusters == 80
    assert clustered[1:] == pytest.approx(alone[1:])
    assert paired_bootstrap(repeated, None, limit=0.5, alpha=0.05, seed=5).standard_error < alone.standard_error / 2


def test_the_standard_error_is_the_cluster_robust_one() -> None:
    """By hand: clusters (1, 3), (2), (4, 4, 4); mean 3; residual sums -2, -1, 3."""
    found = paired_bootstrap([1, 3, 2, 4, 4, 4], list("aabccc"), limit=9, alpha=0.05, seed=1, replicates=50)
    assert found.mean == 3
    assert found.standard_error == pytest.approx(math.sqrt((4 + 1 + 9) * 3 / 2) / 6)


def test_the_same_seed_gives_the_same_numbers() -> None:
    values = normal(60, 0.0, 8)
    one, again = (paired_bootstrap(values, None, limit=0.2, alpha=0.05, seed=11, replicates=200) for _ in range(2))
    assert one == again
    assert one != paired_bootstrap(values, None, limit=0.2, alpha=0.05, seed=12, replicates=200)


@pytest.mark.parametrize(("constant", "shown"), [(0.1, True), (0.3, False)])
def test_without_spread_there_is_a_smallest_p_value(constant: float, shown: bool) -> None:
    found = paired_bootstrap([constant] * 60, None, limit=0.2, alpha=0.05, seed=1, replicates=99)
    assert (found.lower, found.upper) == pytest.approx((constant, constant))
    assert found.p_value == (0.01 if shown else 1.0)


def test_one_bad_item_among_many_equal_ones_shows_nothing() -> None:
    """In a third of the replicates it is missing, and the candidate looks as good as it can."""
    found = paired_bootstrap([0.0] * 99 + [1.0], None, limit=0.05, alpha=0.05, seed=1, replicates=500)
    assert found.p_value > 0.2


def test_clusters_that_are_needed() -> None:
    found = paired_bootstrap(normal(60, 0.0, 2), None, limit=0.1, alpha=0.05, seed=1)
    needed = clusters_needed(found, 0.1, 0.05)
    assert needed is not None
    assert needed > 60
    assert clusters_needed(found, -5, 0.05) is None
    assert clusters_needed(found, 1e9, 0.05) == max(61, FEWEST_CLUSTERS)


def test_an_error_rate_at_the_limit_with_skewed_items() -> None:
    """150 sets of 60 clusters of log-normal, correlated items whose mean is at the limit."""
    mean, wrong = math.exp(0.5 * (0.3 + 0.4)), 0
    for seed in range(150):
        rng = random.Random(seed)
        shared = [rng.gauss(0, math.sqrt(0.3)) for _ in range(60)]
        values = [math.exp(shared[i // 3] + rng.gauss(0, math.sqrt(0.4))) for i in range(180)]
        found = paired_bootstrap(
            values, [i // 3 for i in range(180)], limit=mean, alpha=0.05, seed=seed, replicates=199
        )
        wrong += found.p_value <= 0.05
    assert wrong / 150 <= 0.05 + 0.055


def test_a_thousand_items_take_under_two_seconds() -> None:
    values, begun = normal(1000, 0.0, 1), time.process_time()
    paired_bootstrap(values, None, limit=0.1, alpha=0.05, seed=1, replicates=500)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("values", "names", "says"),
    [([], None, "at least one"), ([1.0], ["a", "b"], "one cluster name"), ([1.0, math.nan], None, "finite")],
)
def test_what_is_missing_is_refused(values: list[float], names: list[str] | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        paired_bootstrap(values, names, limit=0.1, alpha=0.05, seed=1)
