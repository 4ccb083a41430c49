"""The confidence sequence of the ratio of event rates: all ratios that the looks do not reject, at any time.

The null ratio is tested by the e-process with alternatives on both sides of it; the interval holds
those with an e-value below 1/alpha (arXiv:2011.03567, section 4). It is for people: nothing decides by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from feedbackloop.api.improvementrun import Look
from feedbackloop.domain.evidence.eprocess import HARM_RATIOS, log_likelihood_ratio, log_mean_exp
from feedbackloop.domain.statistics.binomial import Interval

_FACTORS = (*HARM_RATIOS, *(1 / ratio for ratio in HARM_RATIOS))
_WIDEST = math.log(100)


def confidence_sequence(looks: Sequence[Look], alpha: float) -> Interval:
    """Between 0.01 and 100, the interval of ratios not rejected at `alpha`."""
    centre = math.log(_most_likely(looks))
    lower = _edge(looks, alpha, centre, -_WIDEST)
    upper = _edge(looks, alpha, centre, _WIDEST)
    return Interval(math.exp(lower), math.exp(upper))


def _most_likely(looks: Sequence[Look]) -> float:
    low, high = -_WIDEST, _WIDEST
    for _ in range(40):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if _log_likelihood(looks, left) < _log_likelihood(looks, right) else (low, right)
    return math.exp((low + high) / 2)


def _log_likelihood(looks: Sequence[Look], log_ratio: float) -> float:
    return math.fsum(log_likelihood_ratio(look, math.exp(log_ratio), 1.0) for look in looks)


def _edge(looks: Sequence[Look], alpha: float, inside: float, outside: float) -> float:
    if not _rejected(looks, outside, alpha):
        return outside
    for _ in range(25):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if _rejected(looks, middle, alpha) else (middle, outside)
    return outside


def _rejected(looks: Sequence[Look], log_ratio: float, alpha: float) -> bool:
    null = math.exp(log_ratio)
    sums = [math.fsum(log_likelihood_ratio(look, null * f, null) for look in looks) for f in _FACTORS]
    return log_mean_exp(sums) >= -math.log(alpha)
