"""Time as an argument: the engine asks a `Clock`, so tests let hours pass in milliseconds.

Nothing in the engine calls `datetime.now`, `time.monotonic` or `asyncio.sleep` but this module.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine needs to know of time."""

    def now(self) -> datetime:
        """The present, timezone-aware, in UTC."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Return at `when` or later; at once when it has passed."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, when: datetime) -> None:
        # Slices of at most a minute: the loop's monotonic clock does not see a suspended or corrected wall clock.
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 60.0))
