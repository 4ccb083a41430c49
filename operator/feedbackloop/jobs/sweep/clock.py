"""Whether the time can be trusted enough to delete by it: two clocks and the last sweep must agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

JUMP = timedelta(hours=24)
SLACK = timedelta(minutes=5)
"""Clocks of two machines may differ by so much."""


@dataclass(frozen=True)
class Times:
    """Now, by this machine and by the object store (its `Date` header)."""

    local: datetime
    store: datetime

    @property
    def cautious(self) -> datetime:
        """The earlier of the two: what has expired by it has expired by both."""
        return min(self.local, self.store)


def distrust(times: Times, last_sweep: str) -> str:
    """Why nothing may be deleted now; empty when the time can be trusted."""
    apart = abs(times.local - times.store)
    if apart > JUMP:
        ahead = "ahead of" if times.local > times.store else "behind"
        return f"this machine's clock is {_hours(apart)} {ahead} the object store's"
    if last_sweep and times.cautious + SLACK < (last := datetime.fromisoformat(last_sweep)):
        return f"the clock is {_hours(last - times.cautious)} behind the last sweep"
    return ""


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f} hours"


def local_now() -> datetime:
    """By this machine."""
    return datetime.now(UTC)
