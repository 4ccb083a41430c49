"""What the rollout is told of a look at the router, what status keeps of it, and when the router may be written."""

from __future__ import annotations

import math
from datetime import datetime
from fractions import Fraction

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.rfc3339 import seconds_since
from feedbackloop.domain.statistics.numerals import numeral
from feedbackloop.domain.traffic.judge import judge
from feedbackloop.domain.traffic.model import RouterSeen, Standing
from feedbackloop.domain.traffic.seen import ProviderSeen

_LIMIT = 1024
FIRST_BACKOFF_SECONDS = 10.0
WARM_SECONDS = 5.0
"""From the router's word that it knows a backend until its data plane does."""
LONGEST_SECONDS = 20.0
"""A router that never says so does not keep a route from being given back; no request goes to the canary meanwhile."""
STRIKES = 3
"""After so many changes by another writer the rollout is paused, and the route is left alone."""
_PROBLEMS = {Standing.REFUSED: Reason.ROUTE_NOT_ACCEPTED, Standing.MISMATCH: Reason.SHARE_MISMATCH}
_IN_FORCE = (Standing.ACCEPTED, Standing.MISMATCH)


def provider_seen(seen: RouterSeen, *, epoch: int, weight: int) -> ProviderSeen:
    """The facts for the rollout, while `epoch` and its `weight` are intended."""
    judged = judge(seen, weight)
    conflict = judged.standing is Standing.CONFLICT
    return ProviderSeen(
        epoch=epoch,
        weight=seen.weight,
        accepted=judged.standing in _IN_FORCE,
        problem=seen.impossible or _PROBLEMS.get(judged.standing),
        message=judged.message[:_LIMIT],
        changed_by=", ".join(seen.writers) if conflict else "",
        changed_at=seen.disturbed_at if conflict else None,
        observed_share=_numeral(seen.share),
        achievable=_numeral(seen.achievable),
    )


def provider_status(seen: ProviderSeen, before: ProviderStatus | None) -> ProviderStatus:
    """The status after this look; one strike for each time that another writer changed what is ours.

    The change is known by its time, so looking again at one conflict adds no strike, and one after every repair does.
    """
    was = before or ProviderStatus()
    struck = bool(seen.changed_by) and seen.changed_at != was.disturbed_at
    return ProviderStatus(
        weight=seen.weight,
        accepted=seen.accepted,
        observed_share=seen.observed_share,
        achievable=seen.achievable,
        conflicts=was.conflicts + struck,
        disturbed_at=seen.changed_at if struck else was.disturbed_at,
        message=seen.message,
    )


def _numeral(share: Fraction | None) -> str | None:
    return None if share is None else numeral(float(share))


def may_write(seen: RouterSeen, status: ProviderStatus | None, now: datetime, *, taking_back: bool) -> bool:
    """Whether the router's objects may be written now: never in a fight, never ahead of the data plane.

    After another writer's change the route is left alone for 10 s, then 20 s, and from the third on until a person
    resumes the rollout, which sets `conflicts` to 0. Taking the canary back waits 40 s at most and never stops.
    """
    if seen.warming_since is not None:
        waited = seconds_since(seen.warming_since, now)
        return waited >= (WARM_SECONDS if seen.warm else LONGEST_SECONDS if taking_back else math.inf)
    if not seen.writers or seen.written or seen.disturbed_at is None:
        return True
    strikes = min(STRIKES, max(1, status.conflicts if status else 0))
    if strikes == STRIKES and not taking_back:
        return False
    backoff = FIRST_BACKOFF_SECONDS * float(1 << (strikes - 1))
    return seconds_since(seen.disturbed_at, now) >= backoff
