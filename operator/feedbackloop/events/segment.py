"""The format of a log segment on the gateway's volume (pure: bytes in, bytes out).

    header   magic "FLWAL\\x01" | u32 length | u32 crc32 | MessagePack of Header
    frame    u32 length | u32 crc32 | AES-256-GCM ciphertext       (crc32 over length and ciphertext)
    payload  u64 first event | u64 first bad row | entry…          entry: u8 kind | u32 length | bytes

Every segment has a random key of its own, wrapped by the KEK in its header and never used by a later
process, so the nonce can be the frame's number. The associated data is the segment's id and that
number: frames cannot be moved, repeated or taken from another segment. The checksum tells a torn
write cheaply; the tag tells everything else.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from feedbackloop.events import keys
from feedbackloop.events.errors import FrameError

MAGIC = b"FLWAL\x01"
_PAIR = struct.Struct(">II")
_POSITION = struct.Struct(">QQ")
_ENTRY = struct.Struct(">BI")
_TAG = 16
MAX_FRAME_BYTES = 256 << 20


class Kind(IntEnum):
    """What an entry is. Events and bad rows are numbered and uploaded; the others only rebuild counters."""

    EVENT = 1
    BAD_ROW = 2
    META = 3


class Header(Struct, frozen=True):
    """The first record of a segment."""

    number: int
    loop_uid: str
    pod: str
    first_event: int
    """Number of the first event that this segment may hold (from 1 on)."""
    first_bad_row: int
    wrapped_key: bytes

    @property
    def segment_id(self) -> bytes:
        return segment_id(self.loop_uid, self.pod, self.number)


class Frame(Struct, frozen=True):
    """An opened frame: its number, where it ends in the file, and its entries."""

    number: int
    end: int
    first_event: int
    first_bad_row: int
    entries: tuple[tuple[int, bytes], ...]


def segment_id(loop_uid: str, pod: str, number: int) -> bytes:
    return f"{loop_uid}/{pod}/{number}".encode()


def pack_entry(kind: int, data: bytes) -> bytes:
    """One entry as it lies in a payload."""
    return _ENTRY.pack(kind, len(data)) + data


def _checked(data: bytes) -> bytes:
    length = struct.pack(">I", len(data))
    return length + struct.pack(">I", zlib.crc32(data, zlib.crc32(length))) + data


class SegmentWriter:
    """Makes the bytes of one new segment: first the header, then frame by frame."""

    def __init__(self, *, kek: keys.Kek, loop_uid: str, pod: str, number: int, position: tuple[int, int]) -> None:
        ident = segment_id(loop_uid, pod, number)
        key = os.urandom(keys.KEY_BYTES)
        header = Header(
            number=number,
            loop_uid=loop_uid,
            pod=pod,
            first_event=position[0],
            first_bad_row=position[1],
            wrapped_key=keys.wrap(kek, key, ident),
        )
        self.header = MAGIC + _checked(msgspec.msgpack.encode(header))
        self._aead, self._id, self._frames = AESGCM(key), ident, 0

    @property
    def frames(self) -> int:
        """Frames made so far."""
        return self._frames

    def frame(self, *, first_event: int, first_bad_row: int, entries: bytes) -> bytes:
        """The next frame. Its nonce is spent even when the write fails: no number is used twice."""
        number = self._frames
        self._frames += 1
        nonce = number.to_bytes(keys.NONCE_BYTES, "big")
        payload = _POSITION.pack(first_event, first_bad_row) + entries
        return _checked(self._aead.encrypt(nonce, payload, self._id + nonce))


def _take(data: memoryview, at: int) -> memoryview:
    if at + _PAIR.size > len(data):
        raise FrameError("short frame")
    length, checksum = _PAIR.unpack_from(data, at)
    body = data[at + _PAIR.size : at + _PAIR.size + length]
    if length > MAX_FRAME_BYTES or len(body) != length:
        raise FrameError("short frame")
    if zlib.crc32(body, zlib.crc32(data[at : at + 4])) != checksum:
        raise FrameError("checksum")
    return body


class SegmentReader:
    """Reads one segment. Raises FrameError when its header is damaged, EnvelopeError for another KEK."""

    def __init__(self, data: bytes, *, kek: keys.Kek) -> None:
        self._data = memoryview(data)
        if data[: len(MAGIC)] != MAGIC:
            raise FrameError("not a log segment")
        body = _take(self._data, len(MAGIC))
        self.header: Header = msgspec.msgpack.decode(body, type=Header)
        self.start = len(MAGIC) + _PAIR.size + len(body)
        key = keys.unwrap(kek, self.header.wrapped_key, self.header.segment_id)
        self._aead = AESGCM(key)

    def frames(self) -> Iterator[Frame]:
        """Frames in order. Raises FrameError at the first damaged one; frames before it are good."""
        at, number = self.start, 0
        while at < len(self._data):
            frame = self.frame_at(at, number)
            yield frame
            at, number = frame.end, frame.number + 1

    def frame_at(self, at: int, lowest: int) -> Frame:
        """The frame at an offset, whose number is `lowest` or a little above it (failed writes leave gaps)."""
        body = _take(self._data, at)
        for number in range(lowest, lowest + 64):
            payload = self._open(body, number)
            if payload is not None:
                return _parsed(number, at + _PAIR.size + len(body), payload)
        raise FrameError("tag")

    def _open(self, body: memoryview, number: int) -> bytes | None:
        nonce = number.to_bytes(keys.NONCE_BYTES, "big")
        try:
            return self._aead.decrypt(nonce, bytes(body), self.header.segment_id + nonce)
        except InvalidTag:
            return None

    def skip(self, at: int) -> int | None:
        """Where the frame after a damaged one would start by its own length, None when that is not believable."""
        if at + _PAIR.size + _TAG > len(self._data):
            return None
        following = at + _PAIR.size + int(_PAIR.unpack_from(self._data, at)[0])
        return following if following < len(self._data) else None


def _parsed(number: int, end: int, payload: bytes) -> Frame:
    first_event, first_bad_row = _POSITION.unpack_from(payload)
    entries = []
    at = _POSITION.size
    while at < len(payload):
        kind, length = _ENTRY.unpack_from(payload, at)
        at += _ENTRY.size
        entries.append((kind, payload[at : at + length]))
        at += length
    return Frame(number=number, end=end, first_event=first_event, first_bad_row=first_bad_row, entries=tuple(entries))
