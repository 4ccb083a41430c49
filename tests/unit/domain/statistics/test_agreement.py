import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.domain.statistics import prediction_powered as pp
from feedbackloop.domain.statistics.agreement import agreement, table

TABLES = st.lists(st.integers(0, 40), min_size=9, max_size=9).filter(lambda counts: sum(counts) > 0)


def test_a_table_counts_judge_by_person() -> None:
    assert table([(-1, -1), (1, -1), (1, -1), (0, 1)]) == (1, 0, 0, 0, 0, 1, 2, 0, 0)


def test_kappa_by_hand() -> None:
    # Agreement 0.7; by chance 0.4 x 0.4 + 0.3 x 0.3 + 0.3 x 0.3 = 0.34.
    counts = (30, 5, 5, 5, 20, 5, 5, 5, 20)
    found = agreement(counts)
    assert found.share == pytest.approx(0.7)
    assert found.kappa == pytest.approx((0.7 - 0.34) / (1 - 0.34))


def test_the_limit_is_the_delta_methods() -> None:
    """The published standard error against the gradient of kappa taken numerically, with one label more."""
    counts = [30, 5, 5, 5, 20, 5, 5, 5, 20]
    more = [*counts[:2], counts[2] + 1, *counts[3:]]
    n, step = sum(more), 1e-6
    shares = [count / n for count in more]

    def kappa(p: list[float]) -> float:
        total = sum(p)
        q = [value / total for value in p]
        chance = sum(sum(q[3 * i : 3 * i + 3]) * sum(q[i::3]) for i in range(3))
        return (q[0] + q[4] + q[8] - chance) / (1 - chance)

    slopes = [(kappa([v + step * (i == k) for i, v in enumerate(shares)]) - kappa(shares)) / step for k in range(9)]
    mean = sum(s * p for s, p in zip(slopes, shares, strict=True))
    error = math.sqrt((sum(s * s * p for s, p in zip(slopes, shares, strict=True)) - mean**2) / n)
    assert agreement(counts).lower == pytest.approx(kappa(shares) - 1.6448536 * error, abs=1e-4)


def test_perfect_agreement_on_few_labels_is_not_certain() -> None:
    found = agreement(table([(1, 1)] * 15 + [(-1, -1)] * 15))
    assert (found.share, found.kappa) == (1.0, 1.0)
    assert 0.7 < found.lower < 0.95


def test_agreement_that_chance_gives_shows_nothing() -> None:
    assert agreement(table([(0, 0)] * 50)).kappa == 0.0
    assert agreement((0,) * 9) == (0.0, 0.0, -1.0)


@settings(max_examples=30)
@given(TABLES)
def test_kappa_is_a_number_between_its_limits(counts: list[int]) -> None:
    found = agreement(counts)
    assert 0 <= found.share <= 1
    assert -1 <= found.lower <= 1
    assert -1 <= found.kappa <= 1


def labels(right: int, wrong: int) -> tuple[int, ...]:
    """People see as many wins as losses; of `wrong` losses the judge makes wins."""
    return table([(1, 1), (-1, -1)] * (right // 2) + [(1, -1)] * wrong)


def test_the_estimate_is_the_judges_mean_and_the_rectifier() -> None:
    # 40 wins and 20 losses of 100 are 0.2; people are 2 x 10 / 60 lower on the labels.
    found = pp.net_wins(labels(50, 10), 40, 20, 40, 0.05)
    assert found.rectifier == pytest.approx(-20 / 60)
    assert found.estimate == pytest.approx(0.2 - 20 / 60)


def test_a_judge_that_favours_the_candidate_gains_it_nothing() -> None:
    favoured, fair = (pp.net_wins(table_, 70, 30, 0, 0.05) for table_ in (labels(40, 20), labels(60, 0)))
    assert favoured.lower < favoured.upper < fair.upper
    assert favoured.lower < -0.3 < fair.lower


def test_a_judge_that_has_not_erred_yet_is_not_taken_at_its_word() -> None:
    found = pp.net_wins(labels(30, 0), 5000, 5000, 0, 0.05)
    assert found.upper - found.lower > 0.2


def test_more_labels_and_more_pairs_make_it_narrower() -> None:
    found = [
        pp.net_wins(table_, pairs, pairs, pairs, 0.05)
        for table_, pairs in ((labels(30, 3), 30), (labels(30, 3), 300), (labels(300, 30), 300))
    ]
    widths = [one.upper - one.lower for one in found]
    assert widths == sorted(widths, reverse=True)
    assert widths[2] < widths[1] / 2


@settings(max_examples=30)
@given(TABLES, st.tuples(*[st.integers(0, 500)] * 3).filter(lambda c: sum(c) > 0), st.floats(0.01, 0.5))
def test_the_p_value_and_the_limit_say_the_same(counts: list[int], judged: tuple[int, ...], margin: float) -> None:
    found = pp.net_wins(counts, *judged, 0.05)
    p = pp.p_value(counts, *judged, margin)
    assert -1 <= found.lower <= found.upper <= 1
    if abs(p - 0.05) > 1e-9 and -1 < found.lower < 1:
        assert (p < 0.05) == (found.lower > -margin)


def test_exchanging_the_models_exchanges_the_limits() -> None:
    there = pp.net_wins((9, 1, 2, 0, 7, 1, 3, 0, 11), 30, 20, 10, 0.05)
    back = pp.net_wins((11, 0, 3, 1, 7, 0, 2, 1, 9), 20, 30, 10, 0.05)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower))


@pytest.mark.parametrize(("counts", "judged"), [((0,) * 9, (1, 1, 1)), ((1,) * 9, (0, 0, 0))])
def test_without_labels_or_pairs_there_is_no_interval(counts: tuple[int, ...], judged: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="needs labelled pairs"):
        pp.net_wins(counts, *judged, 0.05)
