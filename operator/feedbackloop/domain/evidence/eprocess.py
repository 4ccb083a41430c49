"""The e-process for a ratio of event rates, from integer looks.

Given how many events a look has, each one falls into the canary with probability
r = rho M / (rho M + 1 - rho), where rho is the canary's share of the look's units and M the ratio of
the rates. The likelihood ratio of M against the null ratio, multiplied over looks and averaged over a
grid of alternatives, has mean at most 1 under the null, so by Ville's inequality it reaches 1/alpha
with probability at most alpha, however often one looks and whatever weights and base rates do.

Lindon, Malek: Anytime-valid inference for multinomial count data. NeurIPS 2022, arXiv:2011.03567.
The finite grid in place of their conjugate prior lets rho change from look to look. Units carry at
most one event; that only makes the test conservative, at any rate (1 + x <= e^x).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from feedbackloop.api.rolloutstatus import Look

HARM_RATIOS = (1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0)
"""Alternatives of the harm test, against a ratio of 1."""
NON_INFERIORITY_FACTORS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Alternatives of the non-inferiority test, as multiples of the declared ratio."""


def harm(looks: Iterable[Look]) -> list[float]:
    """log e-values after each look, against: the canary's event rate is at most stable's."""
    return log_e_values(looks, 1.0, HARM_RATIOS)


def harm_peak(looks: Iterable[Look]) -> float:
    """The largest log e-value of harm after any look, 0 before the first."""
    sums, best = [0.0] * len(HARM_RATIOS), 0.0
    for look in looks:
        sums = _plus(sums, look, 1.0, HARM_RATIOS)
        if max(sums) > best:  # the mean is at most the largest, and rarely has to be computed
            best = max(best, log_mean_exp(sums))
    return best


def non_inferiority(looks: Iterable[Look], ratio: float) -> list[float]:
    """log e-values after each look, against: the canary's event rate is at least `ratio` times stable's."""
    return log_e_values(looks, ratio, _below(ratio))


def non_inferiority_now(looks: Iterable[Look], ratio: float) -> float:
    """The log e-value of non-inferiority after the last look, 0 before the first."""
    alternatives = _below(ratio)
    sums = [0.0] * len(alternatives)
    for look in looks:
        sums = _plus(sums, look, ratio, alternatives)
    return log_mean_exp(sums)


def log_e_values(looks: Iterable[Look], null: float, alternatives: Sequence[float]) -> list[float]:
    """The log e-value after each look; empty without looks (the e-value is then 1)."""
    return list(_running(looks, null, tuple(alternatives)))


def _running(looks: Iterable[Look], null: float, alternatives: tuple[float, ...]) -> Iterator[float]:
    sums = [0.0] * len(alternatives)
    for look in looks:
        sums = _plus(sums, look, null, alternatives)
        yield log_mean_exp(sums)


def _below(ratio: float) -> tuple[float, ...]:
    return tuple(ratio * factor for factor in NON_INFERIORITY_FACTORS)


def _plus(sums: list[float], look: Look, null: float, alternatives: tuple[float, ...]) -> list[float]:
    units, events = look.stable.units + look.canary.units, look.stable.events + look.canary.events
    new = _log_ratios(look.canary.units, units, look.canary.events, events, null, alternatives)
    return [total + more for total, more in zip(sums, new, strict=True)]


@lru_cache(maxsize=65_536)
def _log_ratios(
    canary_units: int, units: int, canary_events: int, events: int, null: float, alternatives: tuple[float, ...]
) -> tuple[float, ...]:
    """Kept, because all evidence is computed again after every look."""
    return tuple(log_ratio(canary_units / units, canary_events, events, a, null) for a in alternatives)


def log_likelihood_ratio(look: Look, alternative: float, null: float) -> float:
    """Of the rate ratio `alternative` against `null`, from the arms in which the look's events fell."""
    units, events = look.stable.units + look.canary.units, look.stable.events + look.canary.events
    return log_ratio(look.canary.units / units, look.canary.events, events, alternative, null)


def log_ratio(share: float, canary_events: float, events: float, alternative: float, null: float) -> float:
    """The log likelihood ratio of `alternative` against `null` when the canary has `share` of the units."""
    if events == 0:
        return 0.0
    mixture = (share * alternative + 1 - share) / (share * null + 1 - share)
    return canary_events * math.log(alternative / null) - events * math.log(mixture)


def log_mean_exp(values: Sequence[float]) -> float:
    largest = max(values)
    return largest + math.log(math.fsum(math.exp(v - largest) for v in values) / len(values))
