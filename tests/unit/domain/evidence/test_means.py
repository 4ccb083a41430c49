"""The mixture SPRT of means: its formula against the integral, its sums, its one-sidedness and its error rates."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from scipy import integrate, stats

from feedbackloop.api.rollout import Mean, Outcome
from feedbackloop.api.rolloutstatus import ArmCounts, Look, Verdict
from feedbackloop.domain.evidence import means
from feedbackloop.domain.evidence.outcome import describe, describe_estimate, evaluate_looks

MANY = 10 if os.environ.get("FEEDBACKLOOP_SIMULATIONS") else 1
STARS = Mean.model_validate({"direction": "HigherIsBetter", "margin": "0.2", "scale": "1"})
SECONDS = Mean.model_validate({"direction": "LowerIsBetter", "margin": "0.2", "scale": "1"})


def arm(values: np.ndarray) -> ArmCounts:
    thousandths = np.rint(values * 1000).astype(int)
    n = len(thousandths)
    return ArmCounts(units=2 * n, rated=n, total=int(thousandths.sum()), squares=int((thousandths**2).sum()))


def look(stable: np.ndarray, canary: np.ndarray, epoch: int = 1) -> Look:
    return Look(outcome="stars", epoch=epoch, at="", stable=arm(stable), canary=arm(canary))


def outcome(mean: Mean, min_rated_units: int = 1) -> Outcome:
    return Outcome(
        name="stars", signal="stars", mean=mean, attribution_window_seconds=9, min_rated_units=min_rated_units
    )


def two(stable: float, canary: float, n: int, seed: int = 1) -> list[Look]:
    """Looks of 50 rated units an arm, normal with deviation 1."""
    rng = np.random.default_rng(seed)
    return [look(rng.normal(stable, 1, 50), rng.normal(canary, 1, 50)) for _ in range(n // 50)]


@pytest.mark.parametrize(("excess", "variance", "tau"), [(0.1, 0.01, 0.1), (-0.2, 0.004, 0.1), (0.5, 0.3, 2.0)])
def test_the_mixture_is_the_integral_of_likelihood_ratios(excess: float, variance: float, tau: float) -> None:
    """Over a half-normal prior, by numeric integration."""

    def integrand(theta: float) -> float:
        likelihood = stats.norm.pdf(excess, theta, math.sqrt(variance)) / stats.norm.pdf(excess, 0, math.sqrt(variance))
        return float(likelihood * 2 * stats.norm.pdf(theta, 0, tau))

    mixed, _ = integrate.quad(integrand, 0, 20 * tau)
    assert means.log_mixture(excess, variance, tau) == pytest.approx(math.log(mixed), abs=1e-7)


def test_both_sides_together_are_the_mixture_of_johari_pekelis_and_walsh() -> None:
    d, v, tau = 0.3, 0.02, 0.1
    both = (math.exp(means.log_mixture(d, v, tau)) + math.exp(means.log_mixture(-d, v, tau))) / 2
    assert both == pytest.approx(math.sqrt(v / (v + tau**2)) * math.exp(tau**2 * d**2 / (2 * v * (v + tau**2))))


def test_far_on_the_wrong_side_the_logarithm_still_falls() -> None:
    logs = [means.log_mixture(-x, 1e-4, 0.1) for x in (0.1, 0.2, 0.5, 1.0, 10.0)]
    assert logs == sorted(logs, reverse=True)
    assert all(math.isfinite(x) for x in logs)


def test_the_difference_of_an_epoch_is_the_two_sample_one() -> None:
    rng = np.random.default_rng(3)
    stable, canary = rng.normal(4, 0.7, 400), rng.normal(4.1, 0.9, 150)
    (found,) = means.differences(STARS, [look(stable[:200], canary[:75]), look(stable[200:], canary[75:])])
    assert found.value == pytest.approx(canary.mean() - stable.mean(), abs=1e-4)
    assert found.variance == pytest.approx(stable.var() / 400 + canary.var() / 150, rel=0.02)


def test_epochs_are_never_added() -> None:
    """Late in the day everything takes longer, and the weight has risen: pooled, the equal canary looks slower."""
    rng = np.random.default_rng(4)
    early = look(rng.normal(2, 1, 900), rng.normal(2, 1, 100), epoch=1)
    late = look(rng.normal(6, 1, 500), rng.normal(6, 1, 500), epoch=2)
    assert means.harm(SECONDS, [early, late])[-1] < math.log(20)
    pooled = [x.model_copy(update={"epoch": 1}) for x in (early, late)]
    assert means.harm(SECONDS, pooled)[-1] > math.log(20)
    assert means.estimate(SECONDS, [early, late]) == pytest.approx(0, abs=0.15)


def test_nothing_counts_below_100_rated_units_in_each_arm() -> None:
    rng = np.random.default_rng(5)
    few = look(rng.normal(4, 1, 5000), rng.normal(1, 1, 99))
    assert means.harm(STARS, [few]) == [0.0]
    assert means.confidence_sequence(STARS, [few], 0.05) is None
    assert means.harm(STARS, [few, look(np.ones(0), np.ones(1))])[-1] > math.log(20)


@pytest.mark.parametrize(
    ("mean", "canary", "verdict"),
    [
        (STARS, 3.6, Verdict.FAILED),
        (STARS, 4.0, Verdict.SUCCESSFUL),
        (STARS, 4.5, Verdict.SUCCESSFUL),
        (SECONDS, 4.5, Verdict.FAILED),
        (SECONDS, 4.0, Verdict.SUCCESSFUL),
        (SECONDS, 3.6, Verdict.SUCCESSFUL),
    ],
)
def test_verdicts_by_direction(mean: Mean, canary: float, verdict: Verdict) -> None:
    assert evaluate_looks(outcome(mean), two(4.0, canary, 2000)).verdict is verdict
    assert evaluate_looks(outcome(mean, 4001), two(4.0, canary, 2000)).verdict is not Verdict.SUCCESSFUL


def test_votes_that_are_all_the_same_show_non_inferiority_in_the_end() -> None:
    """Without the observation at the declared deviation the variance would vanish and nothing could be said."""
    same = [look(np.full(500, 5.0), np.full(500, 5.0)) for _ in range(4)]
    assert evaluate_looks(outcome(STARS), same[:1]).non_inferiority_e_value != "1"
    assert evaluate_looks(outcome(STARS), same).verdict is Verdict.SUCCESSFUL


def test_the_interval_agrees_with_both_tests() -> None:
    looks = two(4.0, 4.02, 3000)
    interval = means.confidence_sequence(STARS, looks, 0.05)
    assert interval is not None
    assert interval.lower < means.estimate(STARS, looks) < interval.upper  # type: ignore[operator]
    assert (interval.lower > -0.2) == (means.non_inferiority(STARS, looks)[-1] >= math.log(20))
    assert (interval.upper < 0) == (means.harm(STARS, looks)[-1] >= math.log(20))


def test_the_numbers_in_words_and_in_the_status() -> None:
    looks = two(4.0, 3.6, 1000)
    status = evaluate_looks(outcome(STARS), looks)
    text = describe(outcome(STARS), status)
    assert "for a loss below 0.2" in text
    assert "mean of rated units stable 3.985 of 1000" in text
    assert describe_estimate(outcome(STARS), status).endswith("and -0.273, estimated -0.398")
    assert None not in (status.estimate, status.lower, status.upper)


def test_an_equal_candidate_is_rarely_aborted_and_one_at_the_margin_rarely_promoted() -> None:
    """400 runs of 2000 rated units an arm, looked at after every 50; skewed (log-normal) values."""
    found = np.zeros(2)
    for seed in range(100 * MANY):
        rng = np.random.default_rng((9, seed))
        skewed = [look(rng.lognormal(-0.35, 0.83, 50), rng.lognormal(-0.35, 0.83, 50)) for _ in range(40)]
        found[0] += max(means.harm(SECONDS, skewed)) >= math.log(20)
        margin = two(4.0, 3.8, 2000, seed)
        found[1] += max(means.non_inferiority(STARS, margin)) >= math.log(20)
    assert (found / (100 * MANY) <= 0.05 + 0.05 / math.sqrt(MANY)).all()
