"""How much may be in flight at once: requests and bytes (pure)."""

from __future__ import annotations

BYTES = 16 << 20
"""Bytes of requests and answers of shadows that are held at once in one pod."""


class Room:
    """Counts what is held; a refusal costs nothing."""

    def __init__(self, limit_bytes: int = BYTES) -> None:
        self._limit = limit_bytes
        self.requests = 0
        self.bytes = 0

    def enter(self, size: int, most: int) -> bool:
        """Takes a place among `most` for a request of that size, if there is one."""
        if self.requests >= most or self.bytes + size > self._limit:
            return False
        self.requests += 1
        self.bytes += size
        return True

    def grow(self, size: int) -> bool:
        """More bytes of one that has its place."""
        if self.bytes + size > self._limit:
            return False
        self.bytes += size
        return True

    def leave(self, size: int) -> None:
        """Gives a place back, with all bytes that were taken for it."""
        self.requests -= 1
        self.bytes -= size
