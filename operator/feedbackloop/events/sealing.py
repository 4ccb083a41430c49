"""The inner layer: a log entry under its subject's key, as it lies in object storage (pure).

    0x02 | u8 dictionary | u8 length | MessagePack [pseudonym, epoch] | nonce (12) | AES-256-GCM ciphertext and tag

Inside is zstd, with a dictionary of this package, of the entry in format 1. The associated data are the loop, the
pod, the stream, the record's number and all bytes before the nonce: an entry opens only in its own place.
Compression is before encryption and per record, so that the length of one tells nothing of another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag

from feedbackloop.events.errors import EnvelopeError

if TYPE_CHECKING:
    from feedbackloop.events.keyring.subjects import SubjectKey
    from feedbackloop.events.keyring.table import Row

SEALED = b"\x02"
DICTIONARY = 1
"""The dictionary that new entries are compressed with; those of before stay in the package."""
LEVEL = 1
NONCE_BYTES = 12
_FIXED = 3
_row = msgspec.msgpack.Decoder(tuple[str, int])


def head(row: Row) -> bytes:
    """What stands before the nonce of every entry under that row's key."""
    name = msgspec.msgpack.encode(row)
    return SEALED + bytes((DICTIONARY, len(name))) + name


def place(loop_uid: str, pod: str, stream: str) -> bytes:
    """What binds an entry to its stream; the number follows."""
    return f"feedbackloop/record/2\0{loop_uid}\0{pod}\0{stream}\0".encode()


def compressor() -> Callable[[bytes], bytes]:
    """For one thread at a time."""
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=_dictionary(DICTIONARY), write_dict_id=False).compress


def seal(entry: bytes, key: SubjectKey, nonce: bytes, at: bytes, seq: int, compress: Callable[[bytes], bytes]) -> bytes:
    """An entry of format 1 under its subject's key; `at` is `place(…)`. The nonce must be fresh and random."""
    bound = b"".join((at, seq.to_bytes(8, "big"), key.head))
    return b"".join((key.head, nonce, key.aead.encrypt(nonce, compress(entry), bound)))


def is_sealed(entry: bytes) -> bool:
    return entry[:1] == SEALED


def row_of(entry: bytes) -> Row:
    """The row whose key opens a sealed entry. Raises EnvelopeError for a malformed one."""
    try:
        return _row.decode(entry[_FIXED : _FIXED + entry[2]])
    except (IndexError, msgspec.MsgspecError):
        raise EnvelopeError("a sealed record has no readable head") from None


def decompressor() -> Callable[[int, bytes], bytes]:
    """For one thread at a time: what is inside, given the number of its dictionary."""
    made: dict[int, zstandard.ZstdDecompressor] = {}

    def decompress(number: int, data: bytes) -> bytes:
        if number not in made:
            made[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number))
        return made[number].decompress(data)

    return decompress


def unseal(entry: bytes, key: SubjectKey, at: bytes, seq: int, decompress: Callable[[int, bytes], bytes]) -> bytes:
    """The entry of format 1. Raises EnvelopeError when it was altered, or belongs to another place or key."""
    start = _FIXED + entry[2]
    nonce, bound = entry[start : start + NONCE_BYTES], b"".join((at, seq.to_bytes(8, "big"), entry[:start]))
    try:
        packed = key.aead.decrypt(nonce, entry[start + NONCE_BYTES :], bound)
        return decompress(entry[1], packed)
    except (InvalidTag, ValueError, OSError, zstandard.ZstdError):
        raise EnvelopeError(f"record {seq} does not open in its place: altered, moved, or another key") from None


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    data = zstandard.ZstdCompressionDict((files(__package__) / "dictionary" / f"{number}.zdict").read_bytes())
    if number == DICTIONARY:
        data.precompute_compress(level=LEVEL)
    return data
