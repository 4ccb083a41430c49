from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.domain.traffic.replicas import achievable, refusal, refusals, split

REPLICAS, WEIGHTS = st.integers(1, 60), st.integers(1, 99)


@given(REPLICAS, WEIGHTS)
def test_no_arm_is_ever_empty_and_at_most_one_pod_is_added(replicas: int, weight: int) -> None:
    found = split(replicas, weight)
    assert 0 < found.canary < found.total
    assert found.total in (replicas, replicas + 1)


@given(REPLICAS, WEIGHTS)
def test_nothing_achievable_is_nearer(replicas: int, weight: int) -> None:
    wanted = Fraction(weight, 100)
    assert abs(split(replicas, weight).share - wanted) == min(abs(s - wanted) for s in achievable(replicas))


@given(REPLICAS, st.lists(WEIGHTS, min_size=2, max_size=2))
def test_a_larger_weight_never_gets_a_smaller_share(replicas: int, weights: list[int]) -> None:
    less, more = sorted(weights)
    assert split(replicas, less).share <= split(replicas, more).share


@given(st.integers(1, 60), WEIGHTS)
def test_the_error_is_at_most_half_a_replica_inside_and_one_replica_at_the_ends(replicas: int, weight: int) -> None:
    assert abs(split(replicas, weight).share - Fraction(weight, 100)) <= Fraction(1, replicas + 1)


def test_three_replicas_know_thirds_and_with_one_more_quarters() -> None:
    assert achievable(3) == (Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(3, 4))
    assert (split(3, 50).canary, split(3, 50).total) == (2, 4)
    assert (split(1, 10).canary, split(1, 10).total) == (1, 2)


def test_a_step_that_the_replicas_cannot_give_is_refused_with_what_they_can() -> None:
    assert refusals(3, (5, 25, 50), Fraction(1, 20)) == (5,)
    text = refusal(3, (5, 25, 50), Fraction(1, 20))
    assert "weight 5 " in text
    assert "25, 33.3, 50, 66.7, 75 percent" in text
    assert refusal(100, (1, 50), Fraction(1, 20)) == ""
