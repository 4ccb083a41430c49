"""The ratio of the event rates: its estimate, and its confidence sequence, which holds at any time.

Each end of the sequence inverts a one-sided e-process (arXiv:2011.03567, section 4): the upper end is the smallest
ratio that non-inferiority would be shown against, the lower end the largest one that harm would be shown over. So the
interval agrees with both verdicts, each end holds with probability 1 - alpha and both together with 1 - 2 alpha. It
is for people: nothing decides by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.eprocess import HARM_RATIOS, NON_INFERIORITY_FACTORS, log_mean_exp, log_ratio
from feedbackloop.domain.statistics.binomial import Interval

_WIDEST = math.log(100)
_FINE = 1e-5


class _Share(NamedTuple):
    """Looks in which the canary had the same share of the units: their events may be added."""

    share: float
    canary_events: int
    events: int


def confidence_sequence(looks: Iterable[Look], alpha: float) -> Interval:
    """Between 0.01 and 100, the ratios not rejected at `alpha` on either side."""
    shares = _by_share(looks)
    lower = _edge(shares, alpha, HARM_RATIOS, (_WIDEST, -_WIDEST))
    upper = _edge(shares, alpha, NON_INFERIORITY_FACTORS, (-_WIDEST, _WIDEST))
    return Interval(math.exp(lower), math.exp(upper))


def estimate(looks: Iterable[Look]) -> float | None:
    """The maximum-likelihood ratio, between 0.01 and 100; None without events."""
    shares = _by_share(looks)
    events = sum(s.events for s in shares)
    if events == 0:
        return None
    canary = sum(s.canary_events for s in shares)
    low, high = -_WIDEST, _WIDEST
    while high - low > _FINE:
        middle = (low + high) / 2
        low, high = (middle, high) if _expected(shares, math.exp(middle)) < canary else (low, middle)
    return math.exp((low + high) / 2)


def _by_share(looks: Iterable[Look]) -> list[_Share]:
    found: dict[tuple[int, int], _Share] = {}
    for look in looks:
        units, canary = look.stable.units + look.canary.units, look.canary.units
        common = math.gcd(units, canary)
        key = canary // common, units // common
        old = found.get(key, _Share(canary / units, 0, 0))
        events = look.stable.events + look.canary.events
        found[key] = _Share(old.share, old.canary_events + look.canary.events, old.events + events)
    return list(found.values())


def _expected(shares: Sequence[_Share], ratio: float) -> float:
    """The canary's events, given all events, when the rates have this ratio."""
    return math.fsum(s.events * s.share * ratio / (s.share * ratio + 1 - s.share) for s in shares)


def _edge(shares: Sequence[_Share], alpha: float, factors: Sequence[float], bracket: tuple[float, float]) -> float:
    """The rejected log ratio next to those that are not, or the far end when none is rejected there."""
    kept, rejected = bracket
    if not _rejected(shares, rejected, alpha, factors):
        return rejected
    while abs(kept - rejected) > _FINE:
        middle = (kept + rejected) / 2
        kept, rejected = (kept, middle) if _rejected(shares, middle, alpha, factors) else (middle, rejected)
    return rejected


def _rejected(shares: Sequence[_Share], log_null: float, alpha: float, factors: Sequence[float]) -> bool:
    null = math.exp(log_null)
    sums = [math.fsum(log_ratio(s.share, s.canary_events, s.events, null * f, null) for s in shares) for f in factors]
    return log_mean_exp(sums) >= -math.log(alpha)
