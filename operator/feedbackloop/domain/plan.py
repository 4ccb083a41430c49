"""What a decision needs, told before the rollout starts: sessions and days at the observed traffic.

The question is a candidate that is equal to the champion, decided (non-inferior) four times of five. It is answered by
the test itself: its e-value on the counts that an unlucky such rollout has, one standard deviation times `_UNLUCKY` on
the wrong side of what is expected, at the steps' weights. The deviation is smaller than that of the 80th percentile,
because a test that is looked at all the time is decided when it first crosses its bound; simulations hold the plan to
four of five (`tests/unit/domain/test_plan.py`, `make bench-decisions`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from feedbackloop.api.rollout import Mean, Outcome, Rollout
from feedbackloop.api.rolloutstatus import PlanStatus
from feedbackloop.domain.evidence import eprocess, means
from feedbackloop.domain.evidence.outcome import non_inferiority_bound
from feedbackloop.domain.statistics.numerals import numeral, percent

_UNLUCKY = 0.6
_DAY = 86_400
_MOST = 10**9


class Stage(NamedTuple):
    """Sessions under one weight."""

    sessions: float
    share: float
    """The canary's."""


class _Traffic(NamedTuple):
    sessions_per_day: int
    rated_share: float
    base_rate: float
    """Of events a session; unused for a mean."""


class _Timed(NamedTuple):
    """The steps up to the one that decides."""

    pauses: tuple[tuple[int, float], ...]
    """Seconds at a share."""
    share: float
    """At which the decision is awaited."""


def plan(
    spec: Rollout,
    outcome: Outcome,
    sessions_per_day: int,
    rated_share: float | None,
    base_rate: float | None,
    level: float | None = None,
) -> PlanStatus:
    """What the decision on `outcome` needs when sessions come, are rated and have the event as they were observed.

    `rated_share` and `base_rate` are shares of all sessions, None while nothing is known; a mean needs no base rate.
    `level` is the loop's, where it bounds its regressions (`domain.lifetime`).
    """
    unknown = _unknown(outcome, sessions_per_day, rated_share, base_rate)
    if unknown or rated_share is None:
        return _status(outcome, sessions_per_day, rated_share, base_rate, message=f"{outcome.name}: {unknown}")
    traffic, timed = _Traffic(sessions_per_day, rated_share, base_rate or 0.0), _timed(spec, outcome.name)
    sessions = _needed(outcome, timed, traffic, level)
    if sessions is None:
        message = f"{outcome.name}: no number of sessions would decide for an equal candidate"
        return _status(outcome, sessions_per_day, rated_share, base_rate, message=message)
    days = _days(outcome, timed, traffic, sessions)
    in_time = days * _DAY <= spec.max_duration_seconds
    message = _message(outcome, traffic, timed, sessions, days) + ("" if in_time else _too_late(spec))
    found = (sessions, days) if in_time else (None, None)
    return _status(outcome, sessions_per_day, rated_share, base_rate, *found, message=message)


def _unknown(outcome: Outcome, sessions: int, rated: float | None, base: float | None) -> str:
    """Why nothing can be planned; empty when it can."""
    if sessions <= 0 or rated is None:
        return "nothing is known yet of sessions and votes"
    if rated <= 0:
        return f"none of {sessions} sessions a day was rated, so nothing would be decided"
    if outcome.mean is None and base is None:
        return "the share of sessions with the event is not known yet"
    if outcome.mean is None and base == 0:
        return f"none of {sessions} sessions a day had the event, so its rates could not be compared"
    return ""


def _timed(spec: Rollout, name: str) -> _Timed:
    """What comes before the first analysis that waits for the outcome's decision."""
    pauses: list[tuple[int, float]] = []
    share = 0.0
    for step in spec.steps:
        if step.set_weight is not None:
            share = step.set_weight / 100
        if step.pause is not None and step.pause.duration_seconds is not None and share > 0:
            pauses.append((step.pause.duration_seconds, share))
        if step.analysis is not None and step.analysis.until is not None and name in step.analysis.outcome_names:
            break
    return _Timed(tuple(pauses), share)


def _needed(outcome: Outcome, timed: _Timed, traffic: _Traffic, level: float | None) -> int | None:
    """The smallest number of sessions, those of the pauses included, that decide; None when none does."""
    if timed.share == 0:
        return None
    paused = [Stage(seconds / _DAY * traffic.sessions_per_day, share) for seconds, share in timed.pauses]
    bound = math.log(non_inferiority_bound(outcome, level))
    before = math.ceil(sum(stage.sessions for stage in paused))

    def decided(more: int) -> bool:
        rated = (before + more) * traffic.rated_share >= outcome.min_rated_units
        return rated and log_e_value(outcome, [*paused, Stage(more, timed.share)], traffic) >= bound

    low, high = -1, 1
    while not decided(high):
        low, high = high, 2 * high
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return before + high


def log_e_value(outcome: Outcome, stages: Sequence[Stage], traffic: _Traffic) -> float:
    """Of non-inferiority, when an equal candidate is unlucky."""
    stages = [stage for stage in stages if stage.sessions > 0]
    if not stages:
        return 0.0
    if outcome.mean is not None:
        return _of_means(outcome.mean, stages, traffic.rated_share)
    return _of_events(float(outcome.non_inferiority.ratio), stages, traffic.base_rate)


def _of_events(ratio: float, stages: Sequence[Stage], base_rate: float) -> float:
    events = [stage.sessions * base_rate for stage in stages]
    spread = [x * stage.share * (1 - stage.share) for x, stage in zip(events, stages, strict=True)]
    unlucky = _UNLUCKY / math.sqrt(math.fsum(spread))
    canary = [x * s.share + unlucky * v for x, s, v in zip(events, stages, spread, strict=True)]

    def log_ratio(alternative: float) -> float:
        counts = zip(stages, canary, events, strict=True)
        return math.fsum(eprocess.log_ratio(s.share, c, x, alternative, ratio) for s, c, x in counts)

    return eprocess.log_mean_exp([log_ratio(ratio * factor) for factor in eprocess.NON_INFERIORITY_FACTORS])


def _of_means(mean: Mean, stages: Sequence[Stage], rated_share: float) -> float:
    scale, margin = float(mean.scale), float(mean.margin)
    rated = [(s.sessions * s.share * rated_share, s.sessions * (1 - s.share) * rated_share) for s in stages]
    variances = [scale**2 * (1 / c + 1 / s) for c, s in rated if min(c, s) >= means.BURN_IN]
    if not variances:
        return 0.0
    unlucky = _UNLUCKY / math.sqrt(math.fsum(1 / v for v in variances))
    return math.fsum(means.log_mixture(margin - unlucky, v, means.prior_scale(mean)) for v in variances)


def _days(outcome: Outcome, timed: _Timed, traffic: _Traffic, sessions: int) -> float:
    """Pauses are waited for, and the last session's attribution window too."""
    paused = sum(seconds for seconds, _ in timed.pauses) / _DAY
    return max(paused, sessions / traffic.sessions_per_day) + outcome.attribution_window_seconds / _DAY


def _message(outcome: Outcome, traffic: _Traffic, timed: _Timed, sessions: int, days: float) -> str:
    rate = "" if outcome.mean is not None else f", {percent(traffic.base_rate)} of them with the event"
    return (
        f"{outcome.name}: about {sessions} sessions ({numeral(days, 3)} days) decide for an equal candidate four times"
        f" of five, at {traffic.sessions_per_day} sessions a day{rate}, {percent(traffic.rated_share)} rated,"
        f" canary {percent(timed.share)}"
    )


def _too_late(spec: Rollout) -> str:
    return f": not within maxDurationSeconds ({numeral(spec.max_duration_seconds / _DAY, 3)} days)"


def _status(
    outcome: Outcome,
    sessions_per_day: int,
    rated_share: float | None,
    base_rate: float | None,
    sessions: int | None = None,
    days: float | None = None,
    *,
    message: str,
) -> PlanStatus:
    return PlanStatus(
        outcome=outcome.name,
        sessions_per_day=max(0, sessions_per_day),
        rated_share=None if rated_share is None else numeral(rated_share),
        base_rate=None if base_rate is None else numeral(base_rate),
        sessions_needed=sessions,
        days_needed=None if days is None else numeral(days),
        message=message,
    )
