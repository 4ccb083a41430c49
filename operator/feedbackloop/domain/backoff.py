"""How long to wait before the next try: doubling, bounded, without randomness, so that a replay decides the same."""

from __future__ import annotations

from datetime import timedelta

COUNTED = (10.0, 300.0)
"""First and longest delay after a failure that counts."""
SURROUNDINGS = (5.0, 120.0)
"""First and longest delay after something that was not the job's fault."""


def delay(tries: int, bounds: tuple[float, float] = COUNTED) -> timedelta:
    """The delay after that many tries: the first delay, doubled for each further try, at most the longest."""
    first, longest = bounds
    # The exponent is capped before the power is taken: attempts have no limit while storage is away.
    return timedelta(seconds=min(longest, first * 2.0 ** min(max(tries - 1, 0), 30)))
