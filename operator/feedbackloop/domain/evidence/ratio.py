"""The ratio of the event rates: its estimate, and its confidence sequence, which holds at any time.

Each end of the sequence inverts a one-sided e-process (arXiv:2011.03567, section 4): the upper end is the smallest
ratio that non-inferiority would be shown against, the lower end the largest one that harm would be shown over. So the
interval agrees with both verdicts, each end holds with probability 1 - alpha and both together with 1 - 2 alpha. It
is for people: nothing decides by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.eprocess import HARM_RATIOS, NON_INFERIORITY_FACTORS, log_mean_exp
from feedbackloop.domain.statistics.binomial import Interval

_WIDEST = math.log(100)
_FINE = 1e-4
_STEP = 0.1


class _Events(NamedTuple):
    """Looks in which the canary had the same share of the units are added."""

    canary: int
    """The canary's events."""
    shares: tuple[float, ...]
    """The canary's shares of the units, and in each the events of both arms."""
    events: tuple[int, ...]


def confidence_sequence(looks: Iterable[Look], alpha: float) -> Interval:
    """Between 0.01 and 100, the ratios not rejected at `alpha` on either side."""
    found, bound = _gather(looks), -math.log(alpha)
    middle = math.log(_estimate(found) or 1.0)
    lower = _edge(lambda null: _log_e(found, null, HARM_RATIOS) >= bound, middle, -_WIDEST)
    upper = _edge(lambda null: _log_e(found, null, NON_INFERIORITY_FACTORS) >= bound, middle, _WIDEST)
    return Interval(math.exp(lower), math.exp(upper))


def estimate(looks: Iterable[Look]) -> float | None:
    """The maximum-likelihood ratio, between 0.01 and 100; None without events."""
    return _estimate(_gather(looks))


def _estimate(found: _Events) -> float | None:
    if sum(found.events) == 0:
        return None
    low, high = -_WIDEST, _WIDEST
    while high - low > _FINE:
        middle = (low + high) / 2
        low, high = (middle, high) if _expected(found, math.exp(middle)) < found.canary else (low, middle)
    return math.exp((low + high) / 2)


def _gather(looks: Iterable[Look]) -> _Events:
    events: dict[tuple[int, int], int] = {}
    canary = 0
    for look in looks:
        units, canary_units = look.stable.units + look.canary.units, look.canary.units
        common = math.gcd(units, canary_units)
        key = canary_units // common, units // common
        canary += look.canary.events
        events[key] = events.get(key, 0) + look.stable.events + look.canary.events
    return _Events(canary, tuple(part / whole for part, whole in events), tuple(events.values()))


def _expected(found: _Events, ratio: float) -> float:
    """The canary's events, given all events, when the rates have this ratio."""
    return math.fsum(x * share * ratio / (share * ratio + 1 - share) for share, x in zip(*found[1:], strict=True))


def _log_e(found: _Events, log_null: float, factors: Sequence[float]) -> float:
    """The log e-value against the ratio exp(`log_null`), as `eprocess` has it, in fewer logarithms."""
    null = math.exp(log_null)
    base = _log_mixture(found, null)
    return log_mean_exp([found.canary * math.log(f) - _log_mixture(found, null * f) + base for f in factors])


def _log_mixture(found: _Events, ratio: float) -> float:
    return sum([x * math.log1p(share * (ratio - 1)) for share, x in zip(found.shares, found.events, strict=True)])


def _edge(rejected: Callable[[float], bool], kept: float, furthest: float) -> float:
    """The rejected log ratio next to those that are not, from `kept` outwards; `furthest` when none is rejected."""
    step = math.copysign(_STEP, furthest)
    while not rejected(kept + step):
        kept, step = kept + step, 2 * step
        if abs(kept + step) > _WIDEST:
            return furthest
    out = kept + step
    while abs(out - kept) > _FINE:
        middle = (kept + out) / 2
        kept, out = (kept, middle) if rejected(middle) else (middle, out)
    return out
