"""From what was seen to one word: is the intended split in force?

Requests of one session go to one arm, so they are no independent draws: the variance of the binomial is
multiplied by `SESSION_LENGTH`, and the bound is 4.5 standard deviations, as in the conformance tests of the
Gateway API's inference extension. The sessions themselves are checked by the rollout's sample ratio, which
knows them exactly but only once their attribution windows have closed; this check is the quick one.
"""

from __future__ import annotations

import math
from fractions import Fraction

from feedbackloop.domain.traffic.model import Judgement, RouterSeen, Standing

SESSION_LENGTH = 8
"""Requests of a session, as the design effect of counting requests instead of sessions."""
DEVIATIONS = 4.5
LEAST_SHARE = 0.005
"""Where an arm shall have nothing: answers that were under way, and are reported late, are no fault of the router."""
LEAST_REQUESTS = 200
"""Fewer requests say nothing about the share."""


def judge(seen: RouterSeen, weight: int) -> Judgement:
    """How the provider stands while `weight` (0 to 100) is intended; the gravest finding is the one that is told."""
    if seen.impossible is not None:
        return Judgement(Standing.NOT_SUPPORTED, seen.message)
    if seen.writers and not seen.written:
        return Judgement(Standing.CONFLICT, _conflict(seen))
    if not (seen.written and seen.handled):
        return Judgement(Standing.WAITING, seen.message or _waiting(seen))
    if not seen.accepted:
        return Judgement(Standing.REFUSED, seen.message or "the router refuses the route")
    return _measured(seen, weight)


def expected_share(seen: RouterSeen, weight: int) -> Fraction:
    """The share that requests should show: what the provider can give, or else the weight."""
    return seen.achievable if seen.achievable is not None else Fraction(weight, 100)


def deviation(seen: RouterSeen, weight: int) -> float:
    """How far the measured share is from the expected one, in standard deviations; 0 without requests."""
    if not seen.requests:
        return 0.0
    expected = float(expected_share(seen, weight))
    spread = min(1 - LEAST_SHARE, max(LEAST_SHARE, expected))
    deviation_of_share = math.sqrt(SESSION_LENGTH * spread * (1 - spread) / seen.requests)
    return abs(seen.canary / seen.requests - expected) / deviation_of_share


def _measured(seen: RouterSeen, weight: int) -> Judgement:
    counts = f"{seen.canary} of {seen.requests} answers came from the canary at weight {weight}"
    if seen.requests < LEAST_REQUESTS:
        return Judgement(Standing.ACCEPTED, f"{counts}; {LEAST_REQUESTS} are needed to confirm the share")
    away = deviation(seen, weight)
    if away > DEVIATIONS:
        what = "the router accepted the weight, and the requests do not follow it"
        return Judgement(Standing.MISMATCH, f"{counts}, {away:.1f} standard deviations away: {what}")
    expected = expected_share(seen, weight)
    silent = (not seen.canary and expected > 0) or (not seen.stable and expected < 1)
    return Judgement(Standing.ACCEPTED, counts, confirmed=not silent)


def _conflict(seen: RouterSeen) -> str:
    names = ", ".join(seen.writers)
    fix = "take these fields out of what it applies, or give the loop a route of its own"
    return f"{names} changed what is ours of the route: {fix}"


def _waiting(seen: RouterSeen) -> str:
    return "the router has not looked at the route yet" if seen.written else "the route is not written yet"
