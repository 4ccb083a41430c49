"""Rate limits on feedback by subject, token and tenant: token buckets in bounded memory (pure).

A bucket holds as many events as the limit allows in one period and refills evenly over the period. Kept is one
number a bucket, the moment at which it would be full again (the generic cell rate algorithm, ITU-T I.371), and only
for buckets that are not full: one that nobody has taken from for a period is full, so it can be forgotten.

When more keys than `MAX_KEYS` are in use, further ones share cells by their hash. Nobody can empty the memory by making
up keys, and who was over the limit stays over it.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable

from feedbackloop.api.collection import RateLimit, RateLimits
from feedbackloop.events.tokens import Claims

MAX_KEYS = 50_000
"""Buckets kept exactly, in each of two generations."""
SHARED_CELLS = 1 << 16

Key = Hashable
"""Whose bucket: a text, or a tuple of texts. Only its hash is kept, which Python keys anew in every process."""


class OverLimit(Exception):  # noqa: N818 - an answer, not an error
    """More events than a limit allows now. `retry_after` is in seconds; `never` when waiting does not help."""

    def __init__(self, retry_after: int, *, never: bool = False) -> None:
        super().__init__("over a rate limit")
        self.retry_after, self.never = retry_after, never


class Limiter:
    """One limit over many keys. Times are Unix milliseconds that never run backwards."""

    def __init__(self, limit: RateLimit, *, most_keys: int = MAX_KEYS) -> None:
        self.requests, self._period = limit.requests, limit.period_seconds * 1000
        self._interval = self._period / limit.requests
        self._most_keys = most_keys
        self._young: dict[int, float] = {}
        self._old: dict[int, float] = {}
        self._turned = 0
        self._shared: array[float] | None = None
        self._shared_used = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def wait_ms(self, key: Key, now_ms: int, count: int = 1) -> float:
        """How long until so many events fit into the key's bucket; 0 when they fit now."""
        full_at = max(self._full_at(hash(key)), now_ms)
        over = full_at + count * self._interval - now_ms - self._period
        return over if over >= 1.0 else 0.0

    def charge(self, key: Key, now_ms: int, count: int = 1) -> None:
        """Takes so many events out of the key's bucket."""
        self._turn(now_ms)
        number = hash(key)
        full_at = max(self._full_at(number), now_ms) + count * self._interval
        if number in self._young or len(self._young) < self._most_keys:
            self._young[number] = full_at
        else:
            self._share(number, full_at, now_ms)

    def retry_after(self, key: Key, now_ms: int, count: int = 1) -> int:
        """0 when `count` more fit (they are then taken), else the seconds after which they will."""
        wait = self.wait_ms(key, now_ms, count)
        if not wait:
            self.charge(key, now_ms, count)
        return seconds(wait)

    def _full_at(self, number: int) -> float:
        kept = self._young.get(number) or self._old.get(number, 0.0)
        if self._shared is not None:
            return max(kept, self._shared[number % SHARED_CELLS])
        return kept

    def _turn(self, now_ms: int) -> None:
        """Forgets the buckets that were last taken from at least a period ago: they are full."""
        if now_ms - self._turned < self._period:
            return
        self._old = self._young if now_ms - self._turned < 2 * self._period else {}
        self._young, self._turned = {}, now_ms
        if self._shared is not None and now_ms - self._shared_used >= self._period:
            self._shared = None

    def _share(self, number: int, full_at: float, now_ms: int) -> None:
        if self._shared is None:
            self._shared = array("d", bytes(8 * SHARED_CELLS))
        self._shared[number % SHARED_CELLS] = full_at
        self._shared_used = now_ms


def seconds(wait_ms: float) -> int:
    """For `Retry-After`: whole seconds, at least one when there is a wait."""
    return int(-(-wait_ms // 1000))


class Limits:
    """The limits of one configuration. A token is known by what it is about: an answer has one bucket a subject,
    however many tokens the app asks for."""

    def __init__(self, limits: RateLimits) -> None:
        self._subject = Limiter(limits.per_subject) if limits.per_subject else None
        self._token = Limiter(limits.per_token) if limits.per_token else None
        self._tenant = Limiter(limits.per_tenant) if limits.per_tenant else None

    def check(self, claims: Claims, now_ms: int, count: int = 1) -> None:
        """Whether so many events fit into all of the buckets; takes nothing. Raises OverLimit."""
        for limiter, key in self._buckets(claims):
            if count > limiter.requests:
                raise OverLimit(seconds(limiter.wait_ms(key, now_ms)) or 1, never=True)
            if wait := limiter.wait_ms(key, now_ms, count):
                raise OverLimit(seconds(wait))

    def take(self, claims: Claims, now_ms: int, count: int) -> None:
        """Takes so many events out of all buckets, or out of none. Raises OverLimit."""
        self.check(claims, now_ms, count)
        for limiter, key in self._buckets(claims):
            limiter.charge(key, now_ms, count)

    def _buckets(self, claims: Claims) -> list[tuple[Limiter, Key]]:
        found: list[tuple[Limiter, Key]] = []
        if self._token is not None:
            found.append((self._token, (claims.subject, claims.outputs)))
        if self._subject is not None:
            found.append((self._subject, claims.subject))
        if self._tenant is not None and claims.tenant:
            found.append((self._tenant, claims.tenant))
        return found
