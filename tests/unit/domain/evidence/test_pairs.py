from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betaln

from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.evidence.pairs import (
    judge_pairs,
    log_e_harm,
    log_e_non_inferiority,
    pairs_needed,
    win_rate_interval,
)


@pytest.mark.parametrize(("wins", "losses"), [(45, 55), (300, 420), (500, 500), (0, 30)])
def test_the_mixtures_are_integrals_over_the_beta_prior_beyond_the_edge(wins: int, losses: int) -> None:
    def mixed(edge: float, low: float, high: float) -> float:
        prior = stats.beta(50, 50)
        peak = min(max(wins / (wins + losses), low), high)

        def integrand(p: float) -> float:
            gain = wins * math.log(p / edge) + losses * math.log((1 - p) / (1 - edge))
            return float(math.exp(gain) * prior.pdf(p))

        value, _ = integrate.quad(integrand, low, high, points=[peak], limit=200)
        return math.log(value / (prior.cdf(high) - prior.cdf(low)))

    assert log_e_harm(wins, losses) == pytest.approx(mixed(0.5, 1e-9, 0.5), abs=1e-6)
    assert log_e_non_inferiority(wins, losses, 0.05) == pytest.approx(mixed(0.45, 0.45, 1 - 1e-9), abs=1e-6)


def test_their_mean_at_one_half_is_the_two_sided_mixture() -> None:
    """B(50 + x, 50 + n - x) / B(50, 50) / 0.5^n, the untruncated beta-binomial over the fair one."""
    both = (math.exp(log_e_harm(310, 400)) + math.exp(log_e_harm(400, 310))) / 2
    fair = stats.betabinom(710, 50, 50).pmf(310) / stats.binom(710, 0.5).pmf(310)
    assert both == pytest.approx(fair, rel=1e-9)


@pytest.mark.parametrize(("rate", "pairs"), [(0.45, 707), (0.475, 2658), (0.40, 227)])
def test_pairs_for_a_two_sided_rejection_as_simulated_before(rate: float, pairs: int) -> None:
    """The medians of an independent simulation of the two-sided mixture, looked at after every pair."""
    rng, n = np.random.default_rng(6), np.arange(1, 10 * pairs + 1)
    wins = np.cumsum(rng.random((200, len(n))) < rate, axis=1)
    log_e = betaln(50 + wins, 50 + n - wins) - betaln(50, 50) + n * math.log(2)
    crossing = np.argmax(log_e >= math.log(20), axis=1) + 1
    assert np.median(crossing) == pytest.approx(pairs, rel=0.15)


@pytest.mark.parametrize(
    ("wins", "losses", "ties", "verdict"),
    [
        (0, 0, 0, Verdict.INCONCLUSIVE),
        (500, 500, 0, Verdict.SUCCESSFUL),
        (700, 500, 0, Verdict.SUCCESSFUL),
        (300, 420, 0, Verdict.FAILED),
        (300, 420, 5000, Verdict.FAILED),
        (10, 10, 20, Verdict.INCONCLUSIVE),
        (0, 0, 1000, Verdict.SUCCESSFUL),
        (3, 3, 13, Verdict.INCONCLUSIVE),
    ],
)
def test_verdicts(wins: int, losses: int, ties: int, verdict: Verdict) -> None:
    assert judge_pairs(wins, losses, ties, 0.05, 0.05, 20).verdict is verdict


def test_too_few_pairs_promote_nothing_and_harm_needs_no_minimum() -> None:
    assert judge_pairs(500, 500, 0, 0.05, 0.05, 1001).verdict is Verdict.INCONCLUSIVE
    assert judge_pairs(300, 420, 0, 0.05, 0.05, 9999).verdict is Verdict.FAILED


def test_the_pairs_that_are_still_needed() -> None:
    found = judge_pairs(150, 150, 0, 0.05, 0.05, 20)
    assert found.needed is not None
    assert judge_pairs(found.needed // 2, found.needed // 2, 0, 0.05, 0.05, 20).verdict is Verdict.INCONCLUSIVE
    assert log_e_non_inferiority(found.needed / 2, found.needed / 2, 0.05) >= math.log(20)
    assert f"needs about {found.needed} pairs" in found.message
    assert judge_pairs(40, 60, 0, 0.05, 0.05, 20).needed is None
    assert pairs_needed(0, 0, 0.05, 0.05, 20) == found.needed, "without pairs: those of an equal candidate"


def test_the_interval_agrees_with_the_verdict() -> None:
    for wins in range(380, 620, 7):
        lower, upper = win_rate_interval(wins, 1000 - wins, 0.05)
        assert lower < wins / 1000 < upper
        assert (lower >= 0.45) == (log_e_non_inferiority(wins, 1000 - wins, 0.05) >= math.log(20))
        assert (upper <= 0.5) == (log_e_harm(wins, 1000 - wins) >= math.log(20))


def test_a_tie_is_never_more_than_half_a_win_and_half_a_loss_together() -> None:
    with_ties = log_e_non_inferiority(100 + 40, 100 + 40, 0.05)
    split = np.logaddexp(log_e_non_inferiority(180, 100, 0.05), log_e_non_inferiority(100, 180, 0.05)) - math.log(2)
    assert with_ties <= split


def test_an_even_candidate_is_rarely_failed_and_one_at_the_margin_rarely_passed() -> None:
    """200 runs of 1500 pairs, looked at after every 75."""
    rng = np.random.default_rng(2)
    looks = range(75, 1501, 75)
    failed = passed = 0
    for _ in range(200):
        even, worse = np.cumsum(rng.random(1500) < 0.5), np.cumsum(rng.random(1500) < 0.45)
        failed += any(log_e_harm(int(even[n - 1]), n - int(even[n - 1])) >= math.log(20) for n in looks)
        passed += any(log_e_non_inferiority(int(worse[n - 1]), n - int(worse[n - 1]), 0.05) >= 3 for n in looks)
    assert failed <= 16
    assert passed <= 16


@pytest.mark.parametrize(("wins", "margin"), [(-1, 0.05), (1, 0.0), (1, 0.5)])
def test_nonsense_is_refused(wins: int, margin: float) -> None:
    with pytest.raises(ValueError, match="judge_pairs"):
        judge_pairs(wins, 1, 0, margin, 0.05, 20)
