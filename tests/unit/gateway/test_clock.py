"""The log's clock under wall clocks that jump."""

from __future__ import annotations

import random

from feedbackloop.gateway.clock import DOWNTIME_MS, PATIENCE_MS, LogClock

T0 = 1_790_000_000_000
MINUTE, HOUR, YEAR = 60_000, 3_600_000, 365 * 24 * 3_600_000


class Clocks:
    """A wall clock with an error that can be changed, and a boot clock."""

    def __init__(self) -> None:
        self.passed, self.error = 0, 0

    def clock(self, last: int = 0) -> LogClock:
        return LogClock(last, wall=lambda: T0 + self.passed + self.error, boot=lambda: 77 + self.passed)

    def run(self, clock: LogClock, milliseconds: int, tick: int = 500) -> None:
        """Time passes; the clock is looked at every tick, and never goes backwards."""
        end, last = self.passed + milliseconds, clock.now_ms()
        while self.passed < end:
            self.passed += tick
            now = clock.now_ms()
            assert now >= last
            last = now


def test_it_follows_a_wall_clock_that_runs_well_and_one_that_is_slewed() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    for _ in range(600):
        clocks.run(clock, 1_000)
        clocks.error += 3
    assert clock.now_ms() == T0 + clocks.passed + clocks.error
    assert (clock.jumps, clock.offset_ms) == (0, 0)


def test_one_bad_reading_of_a_year_changes_nothing() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.run(clock, 5_000)
    clocks.error = YEAR
    assert clock.now_ms() == T0 + clocks.passed
    clocks.error = 0
    clocks.run(clock, 5_000)
    assert (clock.now_ms(), clock.jumps) == (T0 + clocks.passed, 1)


def test_while_the_wall_clock_is_a_year_ahead_time_goes_on_as_before() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.error = YEAR
    clocks.run(clock, PATIENCE_MS - MINUTE)
    assert (clock.now_ms(), clock.jumps, clock.offset_ms) == (T0 + clocks.passed, 1, YEAR)
    clocks.error = 0
    clocks.run(clock, MINUTE)
    assert (clock.now_ms(), clock.offset_ms) == (T0 + clocks.passed, 0)


def test_a_jump_that_lasts_is_taken_over_an_hour_a_minute() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.error = 5 * HOUR
    clocks.run(clock, PATIENCE_MS + 2 * MINUTE + 1_000)
    assert clock.now_ms() - (T0 + clocks.passed) == 2 * HOUR
    clocks.run(clock, 10 * MINUTE)
    assert (clock.now_ms(), clock.jumps) == (T0 + clocks.passed + 5 * HOUR, 1)


def test_a_wall_clock_set_back_an_hour_slows_it_until_they_agree() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.run(clock, 5_000)
    clocks.error = -HOUR
    clocks.run(clock, PATIENCE_MS - MINUTE)
    assert clock.now_ms() == T0 + clocks.passed
    clocks.run(clock, MINUTE + HOUR)
    assert 0.45 * HOUR < T0 + clocks.passed - clock.now_ms() < 0.55 * HOUR
    clocks.run(clock, 2 * HOUR)
    assert clock.now_ms() == T0 + clocks.passed - HOUR


def test_a_log_that_is_a_year_ahead_after_a_start_goes_on_instead_of_standing_still() -> None:
    clocks = Clocks()
    clock = clocks.clock(last=T0 + YEAR)
    start = clock.now_ms()
    clocks.run(clock, 5 * MINUTE)
    assert (start, clock.now_ms()) == (T0 + YEAR, T0 + YEAR + 5 * MINUTE)


def test_after_a_start_the_wall_clock_is_believed_unless_it_is_far_ahead_of_the_log() -> None:
    clocks = Clocks()
    assert clocks.clock(last=T0 - DOWNTIME_MS).now_ms() == T0
    assert clocks.clock(last=T0 - YEAR).now_ms() == T0 - YEAR
    assert clocks.clock().now_ms() == T0


def test_it_never_runs_backwards_whatever_the_wall_clock_does() -> None:
    chance = random.Random(5)
    clocks = Clocks()
    clock = clocks.clock()
    for _ in range(300):
        clocks.error += chance.choice((0, 0, -HOUR, HOUR, YEAR, -YEAR, 1_500, -1_500))
        clocks.run(clock, chance.choice((100, 5_000, MINUTE, PATIENCE_MS)), tick=5_000)
