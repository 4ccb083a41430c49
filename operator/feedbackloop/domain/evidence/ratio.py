"""The confidence sequence of the ratio of event rates: the ratios that the looks do not reject, at any time.

Each end inverts a one-sided e-process (arXiv:2011.03567, section 4): the upper end is the smallest
ratio that non-inferiority would be shown against, the lower end the largest one that harm would be
shown over. So the interval agrees with both verdicts, each end holds with probability 1 - alpha and
both together with 1 - 2 alpha. It is for people: nothing decides by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.eprocess import (
    HARM_RATIOS,
    NON_INFERIORITY_FACTORS,
    log_likelihood_ratio,
    log_mean_exp,
)
from feedbackloop.domain.statistics.binomial import Interval

_WIDEST = math.log(100)


def confidence_sequence(looks: Sequence[Look], alpha: float) -> Interval:
    """Between 0.01 and 100, the ratios not rejected at `alpha` on either side."""
    lower = _edge(looks, alpha, HARM_RATIOS, (_WIDEST, -_WIDEST))
    upper = _edge(looks, alpha, NON_INFERIORITY_FACTORS, (-_WIDEST, _WIDEST))
    return Interval(math.exp(lower), math.exp(upper))


def _edge(looks: Sequence[Look], alpha: float, factors: Sequence[float], bracket: tuple[float, float]) -> float:
    """The rejected log ratio next to those that are not, or the far end when none is rejected there."""
    kept, rejected = bracket
    if not _rejected(looks, rejected, alpha, factors):
        return rejected
    for _ in range(25):
        middle = (kept + rejected) / 2
        kept, rejected = (kept, middle) if _rejected(looks, middle, alpha, factors) else (middle, rejected)
    return rejected


def _rejected(looks: Sequence[Look], log_ratio: float, alpha: float, factors: Sequence[float]) -> bool:
    null = math.exp(log_ratio)
    sums = [math.fsum(log_likelihood_ratio(look, null * f, null) for look in looks) for f in factors]
    return log_mean_exp(sums) >= -math.log(alpha)
