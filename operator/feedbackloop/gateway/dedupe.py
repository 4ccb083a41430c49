"""Idempotency: which event ids a subject has used, and for which body.

Ids whose record is not durable yet are kept apart with their commit, so that a
repetition waits for the same commit instead of being answered before it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol

import msgspec

from feedbackloop.gateway.recent import RecentMap

IDS_REMEMBERED = 1_000_000

_packed = msgspec.msgpack.Encoder().encode


def fingerprint_of(event: msgspec.Struct) -> int:
    """32 bits of what a client sent under an id, never 0: tells a repetition from another event."""
    return zlib.crc32(_packed(event)) or 1


class Commit(Protocol):
    """A commit that is under way."""

    async def wait(self) -> None:
        """Until it is durable. Raises LogUnavailable when it failed."""


class Dedupe:
    """The index of seen ids; keys are keyed hashes of (subject, event id)."""

    def __init__(self, key: bytes, capacity: int = IDS_REMEMBERED) -> None:
        # Copied for each id: the key is worked in once.
        self._keyed = hashlib.blake2b(digest_size=8, key=key)
        self._known = RecentMap(capacity)
        self._pending: dict[int, tuple[int, Commit]] = {}
        self.learn: Callable[[int, int], None] = self._known.put
        """Takes a key and the fingerprint of an id that was durable before this process began."""

    def key_of(self, subject: str, event_id: str) -> int:
        keyed = self._keyed.copy()
        keyed.update(f"{subject}/{event_id}".encode())
        return int.from_bytes(keyed.digest(), "big")

    def find(self, key: int) -> tuple[int, Commit | None] | None:
        """The fingerprint under a key and the commit to wait for, None when the id is new."""
        if pending := self._pending.get(key):
            return pending
        known = self._known.get(key)
        return None if known is None else (known, None)

    def reserve(self, key: int, fingerprint: int, commit: Commit) -> None:
        """The id is being written."""
        self._pending[key] = (fingerprint, commit)

    def settle(self, key: int, fingerprint: int) -> None:
        """The id is durable."""
        self._pending.pop(key, None)
        self._known.put(key, fingerprint)

    def expect(self, more: int) -> None:
        """So many ids are about to be learnt."""
        self._known.expect(more)

    def release(self, key: int) -> None:
        """The write failed: the id is free again."""
        self._pending.pop(key, None)
