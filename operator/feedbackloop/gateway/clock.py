"""The log's clock: the wall clock, except that it never runs backwards and that one bad reading changes nothing.

Attribution windows close and tokens expire by this clock, so a wall clock that jumps a year ahead, for a second or
for an hour, must not carry it away. A reading is believed when it agrees with the progress of the boot clock; a jump
is counted, and time goes on by the boot clock alone. Only a disagreement that lasts is taken over, in small steps
that an alert has time to be seen in: forward at most an hour a minute, backward by going at half speed. The boot clock
does not outlive a restart: then a wall clock is believed that is at most thirty days ahead of the log's last entry.
"""

from __future__ import annotations

import time
from collections.abc import Callable

AGREE_MS = 2_000
ANCHOR_MS = 60_000
BELIEVED_MS = 1_000
"""How long the wall clock is followed without a look at the boot clock."""
PATIENCE_MS = 600_000
STEP_MS, STEP_EVERY_MS = 3_600_000, 60_000
DOWNTIME_MS = 30 * 24 * 3_600_000

Milliseconds = Callable[[], int]


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Runs steadily, also while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class LogClock:
    """The clock of one log; `last` is the time of its newest entry, Unix milliseconds, 0 without one."""

    def __init__(self, last: int = 0, *, wall: Milliseconds = wall_ms, boot: Milliseconds = boot_ms) -> None:
        self._wall, self._boot = wall, boot
        self.jumps = 0
        """How often the wall clock left the boot clock."""
        self.offset_ms = 0
        """How far the wall clock is ahead of this one while it is not believed."""
        start, self._anchored = wall(), boot()
        self._base = start if not last or last <= start <= last + DOWNTIME_MS else last
        self._now, self._limit = self._base, 0
        self._since: int | None = None
        self._moved = 0
        self._look(start)

    def now_ms(self) -> int:
        """Unix milliseconds; never less than before."""
        reading = self._wall()
        if self._now <= reading < self._limit:
            self._now = reading
            return reading
        return self._look(reading)

    def _look(self, reading: int) -> int:
        boot = self._boot()
        expected = self._base + boot - self._anchored
        self.offset_ms = reading - expected
        if abs(self.offset_ms) <= AGREE_MS:
            self._agree(reading, boot)
            expected = reading
        else:
            expected += self._disagree(boot)
        self._now = max(self._now, expected)
        return self._now

    def _agree(self, reading: int, boot: int) -> None:
        self._since, self._limit, self.offset_ms = None, reading + BELIEVED_MS, 0
        if boot - self._anchored >= ANCHOR_MS:
            self._base, self._anchored = reading, boot

    def _disagree(self, boot: int) -> int:
        """By how much the clock is moved towards the wall clock now."""
        self._limit = 0
        if self._since is None:
            self._since = self._moved = boot
            self.jumps += 1
        if boot - self._since < PATIENCE_MS:
            self._moved = boot
            return 0
        move = self._step(boot)
        self._base += move
        return move

    def _step(self, boot: int) -> int:
        passed = boot - self._moved
        if self.offset_ms < 0:
            self._moved = boot
            return -min(-self.offset_ms, passed // 2)
        if passed < STEP_EVERY_MS:
            return 0
        self._moved = boot
        return min(self.offset_ms, STEP_MS)
