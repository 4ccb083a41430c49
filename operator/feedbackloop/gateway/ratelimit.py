"""Rate limits on feedback: fixed windows, one count for each key, bounded memory."""

from __future__ import annotations

from feedbackloop.api.collection import RateLimit

MAX_KEYS = 200_000


class Limiter:
    """One limit over many keys."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._window = -1
        self._counts: dict[str, int] = {}

    def retry_after(self, key: str, now_ms: int, count: int = 1) -> int:
        """0 when `count` more fit into the key's window (they are then counted), else seconds until the next one."""
        period = self._limit.period_seconds * 1000
        if now_ms // period != self._window or len(self._counts) >= MAX_KEYS:
            self._window, self._counts = now_ms // period, {}
        used = self._counts.get(key, 0)
        if used + count > self._limit.requests and used:
            return max(1, ((self._window + 1) * period - now_ms + 999) // 1000)
        self._counts[key] = used + count
        return 0
