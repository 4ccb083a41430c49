"""Subject keys: made when a record is first sealed, found when one is read, destroyed when a subject is erased."""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedbackloop.events import keys, sealing
from feedbackloop.events.keyring.cache import Cache
from feedbackloop.events.keyring.shards import Shard, Shards
from feedbackloop.events.keyring.table import InnerKey, Row, Table, Tombstone, shard_of

if TYPE_CHECKING:
    from feedbackloop.events.keyring.keyring import Keyring

THREADS = 8
"""Shards that are asked for at the same time."""
LIST_FROM = 8
"""For so many unknown shards a listing is cheaper than asking for each."""


@dataclass(frozen=True)
class SubjectKey:
    """An opened key and the bytes that name it in a sealed entry."""

    head: bytes
    """`sealing.head` of its row."""
    aead: AESGCM

    @classmethod
    def of(cls, row: Row, key: bytes) -> SubjectKey:
        return cls(sealing.head(row), AESGCM(key))


Keys = Mapping[Row, SubjectKey | None]
"""None: the subject was erased."""
Opened = dict[Row, SubjectKey | None]
Missing = defaultdict[str, list[Row]]


@dataclass(frozen=True)
class Destroyed:
    """What a destruction did, for a receipt."""

    pseudonym: str
    shard: str
    at: int
    """Unix milliseconds."""
    fingerprints: Mapping[int, str]
    """By epoch: the first 16 hex digits of the sha256 of the key that is gone."""
    etag_before: str
    etag_after: str
    generation: int


class UnknownSubjectKey(Exception):  # noqa: N818 - a condition, turned into an error that names the object
    """No key and no tombstone: a loss, which must not look like an erasure."""

    def __init__(self, row: Row) -> None:
        super().__init__(f"no key for epoch {row[1]} of a subject in keys/shards/{shard_of(row[0])}, and no tombstone")


class Subjects:
    """The subject keys of one loop. Calls block; usable by several threads."""

    def __init__(self, keyring: Keyring, clock: Callable[[], float] = time.monotonic) -> None:
        self.shards = Shards(keyring)
        self._cache = Cache(clock)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="shards")

    def for_sealing(self, wanted: Iterable[Row]) -> Keys:
        """A key for every row, made where there is none. Raises StorageUnavailable, KeyServiceUnavailable."""
        found, missing = self._split(wanted)
        self._note_absent(missing)
        return self._asked(found, missing, self._seal_shard)

    def for_opening(self, wanted: Iterable[Row]) -> Keys:
        """The keys that rows were sealed under. Raises UnknownSubjectKey besides."""
        return self._asked(*self._split(wanted), self._open_shard)

    def destroy(self, pseudonym: str, reason: str, at: int | None = None) -> Destroyed:
        """Takes a subject's keys of all epochs out of the table and leaves a tombstone. Safe to repeat."""
        shard, when = shard_of(pseudonym), int(time.time() * 1000) if at is None else at
        gone: dict[int, str] = {}

        def change(table: Table, inner: InnerKey) -> bool:
            rows = table.rows.pop(pseudonym, {})
            gone.clear()
            gone.update({epoch: _fingerprint(inner.unwrap(key, (pseudonym, epoch))) for epoch, key in rows.items()})
            if not rows and pseudonym in table.tombstones:
                return False
            table.tombstones.setdefault(pseudonym, Tombstone(when, reason))
            table.generation += 1
            return True

        after = self.shards.change(shard, change)
        self._cache.put(shard, after)
        return Destroyed(
            pseudonym=pseudonym,
            shard=shard,
            at=after.table.tombstones[pseudonym].at,
            fingerprints=gone,
            etag_before=after.replaced or "",
            etag_after=after.etag or "",
            generation=after.table.generation,
        )

    def forget(self) -> None:
        """Drops every opened key and every table that is kept."""
        self._cache.clear()

    def _split(self, wanted: Iterable[Row]) -> tuple[Opened, Missing]:
        """What is opened already, and the other rows by shard."""
        found: Opened = {}
        missing: Missing = defaultdict(list)
        for row in set(wanted):
            if (key := self._cache.key(row)) is not None:
                found[row] = key
            else:
                missing[shard_of(row[0])].append(row)
        return found, missing

    def _note_absent(self, missing: Missing) -> None:
        """For many shards one listing says which have no table yet: those need not be asked for.

        Another pod may make one in between; then the swap fails, and the table is read all the same.
        """
        unknown = [shard for shard in missing if self._cache.shard(shard) is None]
        if len(unknown) < LIST_FROM:
            return
        present = set(self.shards.names())
        for shard in unknown:
            if shard not in present:
                self._cache.put(shard, Shard(Table(), None, None))

    def _asked(self, found: Opened, missing: Missing, work: Callable[[str, list[Row]], Opened]) -> Opened:
        for more in self._threads.map(work, missing, missing.values()):
            found |= more
        return found

    def _seal_shard(self, shard: str, rows: list[Row]) -> Opened:
        def change(table: Table, inner: InnerKey) -> bool:
            new = [row for row in rows if row[0] not in table.tombstones and row[1] not in table.rows.get(row[0], {})]
            for row in new:
                table.rows.setdefault(row[0], {})[row[1]] = inner.wrap(os.urandom(keys.KEY_BYTES), row)
            return bool(new)

        return self._opened(shard, rows, self.shards.change(shard, change, self._cache.shard(shard)))

    def _open_shard(self, shard: str, rows: list[Row]) -> Opened:
        known = self._cache.shard(shard)
        if known is None or not all(_known(known.table, row) for row in rows):
            known = self.shards.read(shard)
        return self._opened(shard, rows, known)

    def _opened(self, shard: str, rows: list[Row], found: Shard) -> Opened:
        self._cache.put(shard, found)
        opened: Opened = {}
        for row in rows:
            opened[row] = self._open(found, row)
            self._cache.keep(shard, row, opened[row])
        return opened

    def _open(self, found: Shard, row: Row) -> SubjectKey | None:
        wrapped = found.table.rows.get(row[0], {}).get(row[1])
        if wrapped is not None and found.inner is not None:
            return SubjectKey.of(row, found.inner.unwrap(wrapped, row))
        if row[0] in found.table.tombstones:
            return None
        raise UnknownSubjectKey(row)


def _known(table: Table, row: Row) -> bool:
    return row[1] in table.rows.get(row[0], {}) or row[0] in table.tombstones


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]
