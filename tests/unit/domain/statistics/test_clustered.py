"""Clustered counts: what items that share an intent are worth, and that the gate on them keeps its error rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.domain.statistics import noninferiority, tango
from feedbackloop.domain.statistics.clustered import ClusterCounts, by_cluster, design_effect, effective


def test_items_that_stand_alone_count_in_full() -> None:
    alone = [ClusterCounts(0, 1, 1)] * 7 + [ClusterCounts(1, 0, 1)] * 5 + [ClusterCounts(0, 0, 1)] * 188
    assert effective(alone) == (5, 7, 200, 1.0, 200)


def test_a_set_without_a_discordant_item_counts_as_its_clusters_do() -> None:
    """Four phrasings of each of 50 intents: nothing shows that they are not the same question."""
    found = effective([ClusterCounts(0, 0, 4)] * 50)
    assert (found.gains, found.losses, found.n, found.design_effect) == (0, 0, 50, 4.0)
    assert noninferiority.p_value(0, 0, 50, 0.05) > 0.05 > noninferiority.p_value(0, 0, 200, 0.05)


def test_whole_clusters_that_fail_together_count_once() -> None:
    together = [ClusterCounts(0, 4, 4)] * 8 + [ClusterCounts(4, 0, 4)] * 8 + [ClusterCounts(0, 0, 4)] * 34
    assert effective(together)[:4] == (8, 8, 50, pytest.approx(4.0))


def test_items_that_fail_alone_come_near_to_counting_in_full() -> None:
    apart = [ClusterCounts(0, 1, 4)] * 20 + [ClusterCounts(1, 0, 4)] * 20 + [ClusterCounts(0, 0, 4)] * 10
    assert 1.0 <= design_effect(apart) < 1.3


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_counts_never_grow_and_round_against_the_candidate(raw: list[tuple[int, int, int]]) -> None:
    clusters = [ClusterCounts(g, lost, max(1, g + lost + same)) for g, lost, same in raw]
    found = effective(clusters)
    gains, losses, n = (sum(c[i] for c in clusters) for i in range(3))
    assert 1 <= found.n <= n
    assert 0 <= found.gains + found.losses <= found.n
    assert found.gains <= gains / found.design_effect + 1e-9
    assert found.losses >= min(losses / found.design_effect - 1e-9, found.n)


def test_items_are_gathered_by_their_intent() -> None:
    scores = [(True, True), (True, False), (False, True), (False, False), (True, False)]
    assert by_cluster("abaab", scores) == [(1, 0, 3), (0, 2, 2)]
    with pytest.raises(ValueError, match="zip"):
        by_cluster("ab", scores)


@pytest.mark.parametrize(
    "clusters", [[], [ClusterCounts(1, 1, 1)], [ClusterCounts(-1, 0, 3)], [ClusterCounts(0, 0, 0)]]
)
def test_impossible_counts_are_refused(clusters: list[ClusterCounts]) -> None:
    with pytest.raises(ValueError, match="cluster"):
        effective(clusters)


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_a_clustered_candidate_at_the_margin_ships_rarely(alike: float) -> None:
    """60 intents of four phrasings; with probability `alike` a phrasing does what its intent does. Margin 10 %."""
    rng, shipped, runs = np.random.default_rng(12), 0, 150
    for _ in range(runs):
        shared = rng.choice((-1, 0, 1), size=(60, 1), p=(0.14, 0.82, 0.04))
        own = rng.choice((-1, 0, 1), size=(60, 4), p=(0.14, 0.82, 0.04))
        items = np.where(rng.random((60, 4)) < alike, shared, own)
        found = effective([ClusterCounts(int((c > 0).sum()), int((c < 0).sum()), 4) for c in items])
        shipped += tango.score(found.gains, found.losses, found.n, -0.10) >= 1.645
    assert shipped / runs <= 0.05 + 0.055
