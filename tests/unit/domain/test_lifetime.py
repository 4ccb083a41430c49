from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import zeta

from feedbackloop.api.rollout import Lifetime
from feedbackloop.domain.lifetime import EXPONENT, gamma, next_level

LIFETIME = Lifetime()


def test_the_shares_of_alpha_sum_to_one() -> None:
    assert gamma(1) == pytest.approx(1 / zeta(EXPONENT), rel=1e-9)
    first = math.fsum(gamma(t) for t in range(1, 20_001))
    rest = gamma(20_000) * 20_000 / (EXPONENT - 1)
    assert first + rest == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("decisions", "promotions", "level"), [(0, 0, 0.0254), (9, 0, 0.001275), (9, 5, 0.00765), (49, 25, 0.00409)]
)
def test_levels(decisions: int, promotions: int, level: float) -> None:
    assert next_level(LIFETIME, decisions, promotions) == pytest.approx(level, rel=0.01)


def test_promotions_earn_and_decisions_cost() -> None:
    assert next_level(LIFETIME, 10, 6) > next_level(LIFETIME, 10, 5) > next_level(LIFETIME, 11, 5)


@pytest.mark.parametrize(("decisions", "promotions"), [(-1, 0), (3, 4), (3, -1)])
def test_counts_that_cannot_be_are_refused(decisions: int, promotions: int) -> None:
    with pytest.raises(ValueError, match="promotions <= decisions"):
        next_level(LIFETIME, decisions, promotions)


def test_few_promotions_are_regressions_when_runs_depend_on_each_other() -> None:
    """2000 lives of 50 decisions, half of them at the margin, all e-values of a life with one common luck.

    The worst case of dependence: the null's e-value is E with probability 1/E, the same for the whole life.
    """
    rng, shares = np.random.default_rng(1), []
    for _ in range(2000):
        luck = rng.random()
        promoted = wrong = 0
        for t in range(50):
            level, regression = next_level(LIFETIME, t, promoted), t % 2 == 0
            if luck <= level or not regression:
                promoted, wrong = promoted + 1, wrong + regression
        shares.append(wrong / max(1, promoted))
    assert np.mean(shares) <= 0.1
