"""What `status.rollout.provider` keeps of a look at the provider."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.rfc3339 import seconds_since
from feedbackloop.domain.statistics.numerals import numeral
from feedbackloop.domain.traffic.judge import judge
from feedbackloop.domain.traffic.model import ProviderSeen, Standing

_LIMIT = 1024
FIRST_BACKOFF_SECONDS = 10.0
STRIKES = 3
"""After so many changes by another writer the rollout is paused, and the route is left alone."""


def provider_status(seen: ProviderSeen, weight: int, before: ProviderStatus | None) -> ProviderStatus:
    """The status after this look; one strike for each time that another writer changed what is ours.

    The change is known by its time, so looking again at one conflict adds no strike, and one after every repair does.
    """
    judged = judge(seen, weight)
    was = before or ProviderStatus()
    struck = judged.standing is Standing.CONFLICT and seen.disturbed_at != was.disturbed_at
    return ProviderStatus(
        weight=seen.weight,
        accepted=judged.standing in (Standing.ACCEPTED, Standing.MISMATCH),
        observed_share=_numeral(seen.share),
        achievable=_numeral(seen.achievable),
        conflicts=was.conflicts + struck,
        disturbed_at=seen.disturbed_at if struck else was.disturbed_at,
        message=judged.message[:_LIMIT],
    )


def _numeral(share: Fraction | None) -> str | None:
    return None if share is None else numeral(float(share))


def may_write(seen: ProviderSeen, status: ProviderStatus | None, now: datetime, *, taking_back: bool) -> bool:
    """Whether the provider's objects may be written now: never in a fight.

    After another writer's change the route is left alone for 10 s, then 20 s, and from the third on until a person
    resumes the rollout, which sets `conflicts` to 0. Taking the canary back waits 40 s at most and never stops.
    """
    if not seen.writers or seen.written or seen.disturbed_at is None:
        return True
    strikes = min(STRIKES, max(1, status.conflicts if status else 0))
    if strikes == STRIKES and not taking_back:
        return False
    backoff = FIRST_BACKOFF_SECONDS * float(1 << (strikes - 1))
    return seconds_since(seen.disturbed_at, now) >= backoff
