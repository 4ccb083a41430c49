"""The stored tables of subject keys: read, and changed by compare-and-swap with jittered retries."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbackloop.events.errors import EnvelopeError, KeyMissing, ObjectChanged, ObjectMissing, StorageUnavailable
from feedbackloop.events.keyring.table import InnerKey, Table, version_of

if TYPE_CHECKING:
    from feedbackloop.events.keyring.keyring import Keyring

LOOK_SECONDS = 30.0
"""Before it writes a table, a process knows the inner keys of at most this long ago."""
ATTEMPTS = 12
_NAME = re.compile(r"/keys/shards/([0-9a-f]{3})$")


@dataclass(frozen=True)
class Shard:
    """A table as it was read or written, with the key that its rows are under and the version's tag."""

    table: Table
    inner: InnerKey | None
    """None: there is no object yet."""
    etag: str | None
    replaced: str | None = None
    """When it was written: the tag of the version before."""


class Shards:
    """All tables of one loop. Calls block; usable by several threads."""

    def __init__(self, keyring: Keyring, sleep: Callable[[float], object] = time.sleep) -> None:
        self._keyring, self._sleep = keyring, sleep
        self.before_swap: Callable[[], None] = lambda: None
        """Called before a table is written: a place for a test to crash at."""

    def path(self, shard: str) -> str:
        return f"{self._keyring.storage.prefix}keys/shards/{shard}"

    def names(self) -> Iterator[str]:
        """The shards that have a table. Raises StorageUnavailable."""
        for key in self._keyring.storage.connect().list(self.path("")):
            if match := _NAME.search(key):
                yield match[1]

    def read(self, shard: str) -> Shard:
        """The table now. Raises StorageUnavailable, KeyServiceUnavailable, EnvelopeError."""
        for _ in range(3):
            try:
                data, etag = self._keyring.storage.connect().get_with_etag(self.path(shard))
            except ObjectMissing:
                return Shard(Table(), None, None)
            try:
                inner = self._key(version_of(data, shard))
            except KeyMissing:
                self._sleep(0.05)  # rotated and destroyed between the two looks: the table is under a newer key now
                continue
            return Shard(inner.open(data, shard), inner, etag)
        raise EnvelopeError(f"keys/shards/{shard} is under an inner key that was destroyed")

    def change(self, shard: str, change: Callable[[Table, InnerKey], bool], known: Shard | None = None) -> Shard:
        """Applies `change` to a copy of the table until the swap succeeds; nothing is written when it returns False.

        `change` gets the key to wrap new rows under and may be called several times. `known` saves the first read.
        Raises as `read`, and StorageUnavailable when others were always quicker.
        """
        found = known or self.read(shard)
        for attempt in range(ATTEMPTS):
            inner = self._newest()
            if found.inner is not None and found.inner.number > inner.number:
                inner = found.inner  # rotated since we looked: never back
            table = self._under(found, inner)
            if not change(table, inner):
                return found
            try:
                return self._write(shard, table, inner, found.etag)
            except ObjectChanged:
                self._sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 5)))
            found = self.read(shard)
        raise StorageUnavailable("ShardContention")

    def rewrap(self, shard: str) -> bool:
        """Brings a table under the newest inner key; whether it was under an older one."""
        newest, found = self._newest(), self.read(shard)
        if found.inner is None or found.inner.number >= newest.number:
            return False
        self.change(shard, lambda _table, _inner: True, found)
        return True

    def _write(self, shard: str, table: Table, inner: InnerKey, etag: str | None) -> Shard:
        self.before_swap()
        written = self._keyring.storage.connect().put_if_match(self.path(shard), inner.seal(table, shard), etag)
        return Shard(table, inner, written, etag)

    def _under(self, found: Shard, inner: InnerKey) -> Table:
        if found.inner is None or found.inner.number == inner.number:
            return found.table.copy()
        return inner.rewrap(found.table, found.inner)

    def _newest(self) -> InnerKey:
        return InnerKey(*self._keyring.newest_inner(LOOK_SECONDS), self._keyring.loop_uid)

    def _key(self, number: int) -> InnerKey:
        return InnerKey(number, self._keyring.inner(number), self._keyring.loop_uid)
