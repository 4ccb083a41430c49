"""Which of the hundred buckets go to the canary.

The app, or a filter at the edge, hashes the session into a bucket once and for all. The candidate's salt puts the
hundred buckets into an order, and the canary gets the first `weight` of them: raising the weight only moves
sessions to the canary, and the next candidate is tried on other sessions than the last one.
"""

from __future__ import annotations

import hashlib

BUCKETS = 100
ANY = "^[0-9][0-9]?$"
"""A header that is a bucket at all."""
NEVER = "$.^"
"""Nothing: the end, one character, and the beginning after it."""


def canary_buckets(salt: str, weight: int) -> tuple[int, ...]:
    """The buckets of the canary at `weight` percent, in ascending order."""
    order = sorted(range(BUCKETS), key=lambda bucket: hashlib.sha256(f"{salt}:{bucket}".encode()).digest())
    return tuple(sorted(order[:weight]))


def pattern(buckets: tuple[int, ...]) -> str:
    """A regular expression, in any of the dialects in use, that matches exactly these buckets."""
    if len(buckets) in (0, BUCKETS):
        return ANY if buckets else NEVER
    return f"^({'|'.join(map(str, buckets))})$"
