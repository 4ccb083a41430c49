"""The difference of two means, canary minus stable, as an e-process: the two-sample mixture SPRT, one-sided.

In an epoch the difference D of the means has variance V = s_c^2/n_c + s_s^2/n_s. Against "the mean is at most d" the
e-value mixes the likelihood ratios of all larger means by a half-normal prior of scale tau beyond d:

    2 sqrt(V / (V + tau^2)) exp(tau^2 x^2 / (2 V (V + tau^2))) Phi(x tau / sqrt(V (V + tau^2))),   x = D - d

which is the mixture of Johari, Pekelis, Walsh: Always Valid Inference, arXiv:1512.04922 (Robbins 1970) restricted to
one side; tau is a tenth of the declared standard deviation. It is asymptotic (Waudby-Smith et al., Annals of
Statistics 2024, arXiv:2103.06476), so an epoch counts from 100 rated units in each arm on, and one more observation
at the declared deviation keeps the variance from vanishing. Epochs are multiplied, their units are never added: means
under two weights do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from feedbackloop.api.rollout import Direction, Mean
from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.counting import Counts, counts
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.normal import log_lower_tail

BURN_IN = 100
"""Rated units in each arm before an epoch counts."""
_PRIOR = 0.1
_STEPS = 60


class Difference(NamedTuple):
    """Of one epoch, canary minus stable, in the signal's unit."""

    value: float
    variance: float


class _Arms(NamedTuple):
    stable: Counts = Counts()
    canary: Counts = Counts()


def mean_of(arm: Counts) -> float | None:
    """The mean of an arm's rated units, in the signal's unit."""
    return arm.total / arm.rated / 1e3 if arm.rated else None


def harm(mean: Mean, looks: Iterable[Look]) -> list[float]:
    """log e-values after each look, against: the canary's mean is no worse than stable's."""
    sign = _sign(mean)
    return list(_running(mean, looks, lambda d: sign * d))


def non_inferiority(mean: Mean, looks: Iterable[Look]) -> list[float]:
    """log e-values after each look, against: the canary's mean is worse by the margin or more."""
    sign, margin = _sign(mean), float(mean.margin)
    return list(_running(mean, looks, lambda d: margin - sign * d))


def estimate(mean: Mean, looks: Iterable[Look]) -> float | None:
    """The difference, each epoch weighted by its precision; None before any epoch counts."""
    found = differences(mean, looks)
    if not found:
        return None
    precision = math.fsum(1 / d.variance for d in found)
    return math.fsum(d.value / d.variance for d in found) / precision


def confidence_sequence(mean: Mean, looks: Iterable[Look], alpha: float) -> Interval | None:
    """The differences that no one-sided test at `alpha` rejects, at any time; None before any epoch counts."""
    found = differences(mean, looks)
    if not found:
        return None
    tau, bound = prior_scale(mean), -math.log(alpha)
    upper = _edge([d.value for d in found], [d.variance for d in found], tau, bound)
    lower = -_edge([-d.value for d in found], [d.variance for d in found], tau, bound)
    return Interval(lower, upper)


def differences(mean: Mean, looks: Iterable[Look]) -> list[Difference]:
    """Of the epochs that count."""
    epochs: dict[int, _Arms] = {}
    for look in looks:
        epochs[look.epoch] = _with(epochs.get(look.epoch, _Arms()), look)
    found = (_difference(arms, float(mean.scale)) for arms in epochs.values())
    return [d for d in found if d is not None]


def log_mixture(excess: float, variance: float, tau: float) -> float:
    """The log e-value of a difference that is `excess` beyond its null value, for means beyond it."""
    wide = variance + tau * tau
    z = excess * tau / math.sqrt(variance * wide)
    return math.log(2) + (math.log(variance / wide) + z * z) / 2 + log_lower_tail(z)


def _running(mean: Mean, looks: Iterable[Look], excess: Callable[[float], float]) -> Iterator[float]:
    """The log e-value after each look: the sum over epochs, of which a look changes one."""
    epochs: dict[int, _Arms] = {}
    logs: dict[int, float] = {}
    tau, scale = prior_scale(mean), float(mean.scale)
    for look in looks:
        epochs[look.epoch] = _with(epochs.get(look.epoch, _Arms()), look)
        difference = _difference(epochs[look.epoch], scale)
        if difference is not None:
            logs[look.epoch] = log_mixture(excess(difference.value), difference.variance, tau)
        yield math.fsum(logs.values())


def _with(arms: _Arms, look: Look) -> _Arms:
    return _Arms(arms.stable.plus(counts(look.stable)), arms.canary.plus(counts(look.canary)))


def _difference(arms: _Arms, scale: float) -> Difference | None:
    stable, canary = mean_of(arms.stable), mean_of(arms.canary)
    if stable is None or canary is None or min(arms.stable.rated, arms.canary.rated) < BURN_IN:
        return None
    return Difference(canary - stable, _variance(arms.stable, scale) + _variance(arms.canary, scale))


def _variance(arm: Counts, scale: float) -> float:
    """Of the arm's mean. The sum of squared deviations is taken in integers, so it cannot cancel."""
    squares = max(0, arm.squares * arm.rated - arm.total * arm.total) / arm.rated / 1e6
    return (squares + scale * scale) / arm.rated / arm.rated


def _edge(values: Sequence[float], variances: Sequence[float], tau: float, bound: float) -> float:
    """The smallest value above all differences against which smaller ones are shown."""

    def rejected(null: float) -> bool:
        logs = (log_mixture(null - d, v, tau) for d, v in zip(values, variances, strict=True))
        return math.fsum(logs) >= bound

    kept, width = min(values), math.sqrt(max(variances))
    while not rejected(kept + width):
        width *= 2
    low, high = kept, kept + width
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if rejected(middle) else (middle, high)
    return high


def _sign(mean: Mean) -> float:
    """By which a difference becomes a loss."""
    return 1.0 if mean.direction is Direction.LOWER_IS_BETTER else -1.0


def prior_scale(mean: Mean) -> float:
    """The standard deviation of the prior, in the signal's unit."""
    return _PRIOR * float(mean.scale)
