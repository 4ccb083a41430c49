"""A shard of the table of subject keys (pure: bytes in, bytes out).

    magic "FLSHD\\x01" | u32 inner version | nonce (12) | AES-256-GCM of MessagePack of Table

The key is derived from the inner key of that version; the associated data are magic, version, loop and shard.
Rows stay wrapped inside the opened table, each bound to its pseudonym and epoch, so that a process has in the
clear only the keys that it uses. Destroying an inner key makes every copy of a table under it unreadable.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from feedbackloop.events import keys
from feedbackloop.events.errors import EnvelopeError

MAGIC = b"FLSHD\x01"
_VERSION = struct.Struct(">I")
_HEAD_BYTES = len(MAGIC) + _VERSION.size
_HEX = re.compile(r"[0-9a-f]{3}")

Row = tuple[str, int]
"""A pseudonym and an epoch: what has a key of its own."""


class Tombstone(Struct, frozen=True, array_like=True):
    """Says that a subject's keys were destroyed on purpose."""

    at: int
    """Unix milliseconds."""
    reason: str


class Table(Struct, array_like=True):
    """One shard: wrapped keys by pseudonym and epoch."""

    generation: int = 0
    """Goes up when a subject's keys were destroyed: whoever keeps opened keys of the shard forgets them."""
    rows: dict[str, dict[int, bytes]] = msgspec.field(default_factory=dict)
    tombstones: dict[str, Tombstone] = msgspec.field(default_factory=dict)

    def copy(self) -> Table:
        return Table(self.generation, {name: dict(epochs) for name, epochs in self.rows.items()}, dict(self.tombstones))


_decoder = msgspec.msgpack.Decoder(Table)


def shard_of(pseudonym: str) -> str:
    """Three hex digits: the first 12 bits of a pseudonym (of its hash when it is not hex)."""
    head = pseudonym[:3]
    if _HEX.fullmatch(head):
        return head
    return hashlib.blake2b(pseudonym.encode("utf-8", "surrogatepass"), digest_size=2).hexdigest()[:3]


class InnerKey:
    """An inner key at work on one loop's tables."""

    def __init__(self, number: int, key: bytes, loop_uid: str) -> None:
        self.number, self._uid = number, loop_uid.encode()
        self._tables, self._rows = AESGCM(keys.derive(key, "shard-table")), AESGCM(keys.derive(key, "shard-row"))

    def seal(self, table: Table, shard: str) -> bytes:
        """The table as it is stored."""
        head, nonce = MAGIC + _VERSION.pack(self.number), os.urandom(keys.NONCE_BYTES)
        return head + nonce + self._tables.encrypt(nonce, msgspec.msgpack.encode(table), self._bound(head, shard))

    def open(self, data: bytes, shard: str) -> Table:
        """The stored table. Raises EnvelopeError when it was altered, moved, or is under another key."""
        head, nonce = data[:_HEAD_BYTES], data[_HEAD_BYTES : _HEAD_BYTES + keys.NONCE_BYTES]
        try:
            plain = self._tables.decrypt(nonce, data[_HEAD_BYTES + keys.NONCE_BYTES :], self._bound(head, shard))
            return _decoder.decode(plain)
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            raise EnvelopeError(f"keys/shards/{shard} was altered or belongs elsewhere") from None

    def wrap(self, key: bytes, row: Row) -> bytes:
        nonce = os.urandom(keys.NONCE_BYTES)
        return nonce + self._rows.encrypt(nonce, key, self._row(row))

    def unwrap(self, wrapped: bytes, row: Row) -> bytes:
        """Raises EnvelopeError."""
        try:
            return self._rows.decrypt(wrapped[: keys.NONCE_BYTES], wrapped[keys.NONCE_BYTES :], self._row(row))
        except (InvalidTag, ValueError):
            raise EnvelopeError(f"a row of keys/shards/{shard_of(row[0])} was altered or belongs elsewhere") from None

    def rewrap(self, table: Table, before: InnerKey) -> Table:
        """The same table with its rows under this key."""
        rows = {
            name: {epoch: self.wrap(before.unwrap(old, (name, epoch)), (name, epoch)) for epoch, old in epochs.items()}
            for name, epochs in table.rows.items()
        }
        return Table(table.generation, rows, dict(table.tombstones))

    def _bound(self, head: bytes, shard: str) -> bytes:
        return head + self._uid + b"/" + shard.encode()

    def _row(self, row: Row) -> bytes:
        return b"/".join((self._uid, row[0].encode("utf-8", "surrogatepass"), str(row[1]).encode()))


def version_of(data: bytes, shard: str) -> int:
    """The inner version that a stored table is under. Raises EnvelopeError when it is no table."""
    if len(data) < _HEAD_BYTES or not data.startswith(MAGIC):
        raise EnvelopeError(f"keys/shards/{shard} is not a table of keys")
    return int(_VERSION.unpack_from(data, len(MAGIC))[0])
