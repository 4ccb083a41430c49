from __future__ import annotations

import math

import numpy as np
import pytest

from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import PlanStatus
from feedbackloop.domain.evidence.eprocess import NON_INFERIORITY_FACTORS
from feedbackloop.domain.plan import plan

ANALYSIS = {"analysis": {"outcomeNames": ["o"], "until": "Decision"}}


def planned(
    *steps: dict[str, object],
    sessions: int = 2000,
    rated: float | None = 1.0,
    base: float | None = 0.1,
    days: int = 90,
    level: float | None = None,
    **outcome: object,
) -> PlanStatus:
    o = {"name": "o", "signal": "s", "attributionWindowSeconds": 86_400, "minRatedUnits": 100} | outcome
    spec = Rollout.model_validate(
        {"steps": steps or [{"setWeight": 50}, ANALYSIS], "outcomes": [o], "maxDurationSeconds": days * 86_400}
    )
    return plan(spec, spec.outcomes[0], sessions, rated, base, level)


def needed(status: PlanStatus) -> int:
    assert status.sessions_needed is not None
    return status.sessions_needed


def simulated(sessions: int, base: float, weight: float, ratio: float = 1.25, runs: int = 400) -> float:
    """The share of rollouts of an equal candidate that are decided within so many sessions."""
    rng = np.random.default_rng(1)
    alternatives = ratio * np.array(NON_INFERIORITY_FACTORS)[:, None]
    sums, decided, total = np.zeros((len(alternatives), runs)), np.zeros(runs, dtype=bool), 0
    while total < sessions:
        new = min(max(20, math.ceil(0.02 * total)), sessions - total)
        total += new
        canary = rng.binomial(new, weight, runs)
        events = rng.binomial(canary, base)
        everyone, share = events + rng.binomial(new - canary, base), canary / new
        mixture = (share * alternatives + 1 - share) / (share * ratio + 1 - share)
        sums += events * np.log(alternatives / ratio) - everyone * np.log(mixture)
        decided |= np.exp(sums).mean(axis=0) >= 20
    return float(decided.mean())


@pytest.mark.parametrize(("base", "weight"), [(0.1, 50), (0.3, 50), (0.1, 10), (0.02, 50)])
def test_an_equal_candidate_is_decided_four_times_of_five(base: float, weight: int) -> None:
    status = planned({"setWeight": weight}, ANALYSIS, sessions=10_000, base=base)
    assert simulated(needed(status), base, weight / 100) == pytest.approx(0.8, abs=0.06)


def test_days_follow_from_the_traffic_and_the_attribution_window() -> None:
    status = planned(sessions=2000, base=0.1)
    assert float(status.days_needed or "nan") == pytest.approx(needed(status) / 2000 + 1, rel=1e-3)
    assert f"about {status.sessions_needed} sessions" in status.message
    assert (status.rated_share, status.base_rate, status.sessions_per_day) == ("1", "0.1", 2000)


def test_small_weights_and_small_margins_take_longer() -> None:
    assert needed(planned({"setWeight": 10}, ANALYSIS)) > 2 * needed(planned())
    assert needed(planned(nonInferiority={"ratio": "1.15"})) > 2 * needed(planned())
    assert needed(planned(level=0.001)) > 1.3 * needed(planned())


def test_pauses_at_a_small_weight_count_what_they_are_worth() -> None:
    """Two days at 10 % before the 50 %: more sessions than at 50 % alone, fewer than with those for nothing."""
    paused = planned({"setWeight": 10}, {"pause": {"durationSeconds": 172_800}}, {"setWeight": 50}, ANALYSIS)
    assert needed(planned()) < needed(paused) < needed(planned()) + 4000
    long = planned({"setWeight": 50}, {"pause": {"durationSeconds": 80 * 86_400}}, ANALYSIS)
    assert float(long.days_needed or "nan") == pytest.approx(81)


def test_rated_sessions_are_awaited() -> None:
    assert needed(planned(rated=0.01, minRatedUnits=1000)) == 100_000


@pytest.mark.parametrize("direction", ["HigherIsBetter", "LowerIsBetter"])
def test_a_mean_is_planned_by_its_margin_and_scale(direction: str) -> None:
    mean = {"direction": direction, "margin": "0.2", "scale": "1"}
    status = planned(base=None, rated=0.5, mean=mean)
    assert needed(status) == pytest.approx(2450, rel=0.1)
    assert needed(planned(base=None, rated=0.5, mean=mean | {"margin": "0.1"})) > 2 * needed(status)


def test_what_is_not_in_time_says_so() -> None:
    status = planned(sessions=20, base=0.02, days=14)
    assert (status.sessions_needed, status.days_needed) == (None, None)
    assert "not within maxDurationSeconds (14 days)" in status.message
    assert "days) decide" in status.message


@pytest.mark.parametrize(
    ("sessions", "rated", "base", "says"),
    [
        (0, None, None, "nothing is known yet"),
        (100, None, 0.1, "nothing is known yet"),
        (100, 0.0, 0.1, "none of 100 sessions a day was rated"),
        (100, 0.5, None, "not known yet"),
        (100, 0.5, 0.0, "none of 100 sessions a day had the event"),
    ],
)
def test_what_is_not_known_is_not_planned(sessions: int, rated: float | None, base: float | None, says: str) -> None:
    status = planned(sessions=sessions, rated=rated, base=base)
    assert says in status.message
    assert (status.sessions_needed, status.days_needed) == (None, None)


def test_a_candidate_that_must_be_better_is_never_decided_when_it_is_equal() -> None:
    status = planned(nonInferiority={"ratio": "0.9"})
    assert "no number of sessions would decide" in status.message
