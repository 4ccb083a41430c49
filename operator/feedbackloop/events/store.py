"""The stored log in object storage: how the gateway names and packs its objects, how jobs read them.

    events/<pod>/<first>-<last>.seg     badrows/<pod>/<first>-<last>.seg

Numbers have 20 digits and count from 1. An object is an envelope around a zlib stream of entries
(u32 length | codec bytes), bound to its own key by the encryption context. Entries that have a subject
are sealed a second time inside, under the subject's key (`inner`); readers here give them out opened.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from feedbackloop.events import codec, envelope, floors, inner, sealing
from feedbackloop.events.errors import EnvelopeError, ObjectMissing, SegmentMissing
from feedbackloop.events.keys import Kek
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import BadRow, Record, placed

EVENTS, BAD_ROWS = "events", "badrows"
_NAME = re.compile(r"(?:^|/)(events|badrows)/([^/]+)/([0-9]{20})-([0-9]{20})\.seg$")
_NUMBERS = re.compile(r"(?:^|/)([0-9]{20})-([0-9]{20})\.seg$")
TRAINABLE = "trainable"
"""Metadata of a segment of events: trainable signals of the pod's log up to its end."""
_LENGTH = struct.Struct(">I")


class Offset(Protocol):
    """How far a pod's log is wanted: `feedbackloop.api.feedbackloop.PodOffset` is one."""

    @property
    def pod(self) -> str: ...
    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, order=True)
class StoredSegment:
    """One object: the records first..last of a pod's stream."""

    first: int
    last: int
    key: str


def numbers_of(key: str) -> tuple[int, int] | None:
    """The first and the last record of a stored segment by its name; None for any other object."""
    match = _NUMBERS.search(key)
    return (int(match[1]), int(match[2])) if match else None


def object_key(prefix: str, stream: str, pod: str, first: int, last: int) -> str:
    """The full key of a stored segment; `prefix` ends with `/`."""
    return f"{prefix}{stream}/{pod}/{first:020}-{last:020}.seg"


def seal(entries: Iterable[bytes], *, key: str, kek: Kek) -> bytes:
    """The object's bytes for codec-encoded entries, bound to the object's key."""
    packed = list(entries)
    plain = b"".join(part for entry in packed for part in (_LENGTH.pack(len(entry)), entry))
    # What was sealed inside is compressed already and looks random: trying again would only cost time.
    random = sum(len(entry) for entry in packed if sealing.is_sealed(entry))
    return envelope.encrypt(zlib.compress(plain, 0 if 2 * random > len(plain) else 3), kek=kek, context=_context(key))


def unseal(data: bytes, *, key: str, kek: Kek) -> list[bytes]:
    """The entries of an object, as they were sealed into it.

    Raises EnvelopeError when it is not the one that was written under this key.
    """
    plain = envelope.decrypt(data, kek=kek, context=_context(key))
    try:
        return list(_entries(zlib.decompress(plain)))
    except (zlib.error, struct.error) as error:
        raise EnvelopeError(f"stored segment is malformed: {type(error).__name__}") from None


def _context(key: str) -> dict[str, str]:
    return {"purpose": "feedbackloop/segment/1", "object": key}


def _entries(plain: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(plain):
        (length,) = _LENGTH.unpack_from(plain, at)
        at += _LENGTH.size
        yield plain[at : at + length]
        at += length


def opened(data: bytes, *, key: str, kek: Kek) -> list[bytes]:
    """The entries of an object in format 1, through both layers; `inner.ERASED` for those of erased subjects.

    Raises EnvelopeError, StorageUnavailable, KeyServiceUnavailable.
    """
    match = _NAME.search(key)
    if match is None:
        raise EnvelopeError(f"{key}: is not the name of a stored segment")
    at = sealing.place(loop_of(key[: match.start()]), match[2], match[1])
    return inner.unseal(unseal(data, key=key, kek=kek), kek=kek, at=at, first=int(match[3]), key=key)


def loop_of(prefix: str) -> str:
    """The loop's uid: the last part of `<spec prefix><loop uid>/`."""
    return prefix.rstrip("/").rpartition("/")[2]


def segments(objects: ObjectClient, prefix: str, stream: str, pod: str) -> list[StoredSegment]:
    """A pod's stored segments in order."""
    found = []
    for key in objects.list(f"{prefix}{stream}/{pod}/"):
        if match := _NAME.search(key):
            found.append(StoredSegment(first=int(match[3]), last=int(match[4]), key=key))
    return sorted(found)


def pods(objects: ObjectClient, prefix: str, stream: str = EVENTS) -> list[str]:
    """The pods that have stored anything in a stream."""
    return sorted({match[2] for key in objects.list(f"{prefix}{stream}/") if (match := _NAME.search(key))})


def up_to(found: Sequence[StoredSegment], offset: int, *, pod: str, first: int = 1) -> list[StoredSegment]:
    """The segments that hold records first..offset. Raises SegmentMissing at a gap or an overlap between them."""
    wanted, expected = [], first
    for segment in found:
        if expected > offset:
            break
        if segment.last < first:
            continue  # a sweep is about to delete it
        if segment.first != expected or segment.last < segment.first:
            raise SegmentMissing(
                f"pod {pod}: records from {expected} on are missing, the next segment has {segment.first}"
            )
        wanted.append(segment)
        expected = segment.last + 1
    if expected <= offset:
        raise SegmentMissing(f"pod {pod}: records {expected} to {offset} are missing")
    return wanted


def read_events(
    objects: ObjectClient, prefix: str, cut: Sequence[Offset], kek: Kek, *, since: Sequence[Offset] = ()
) -> Iterator[Record]:
    """The records of a cut that retention has left, in deterministic order (pod, then number), each with `pod` and
    `seq` set. With `since`, only those behind it; segments up to it are not read.

    `prefix` is `<spec prefix><loop uid>/`. Raises SegmentMissing when the cut is not wholly stored (checked
    for every pod before the first record is given out), EnvelopeError, FrameError, StorageUnavailable.
    """
    ordered = sorted(cut, key=lambda position: position.pod)
    begin = {position.pod: position.offset for position in since}
    plan = [(position, _wanted(objects, prefix, position)) for position in ordered]
    for position, wanted in plan:
        after = begin.get(position.pod, 0)
        for segment in wanted:
            if segment.last <= after:
                continue
            try:
                yield from (one for one in _records(objects, segment, position, kek) if one.seq > after)
            except ObjectMissing:
                if segment.last >= floors.read(objects, prefix, EVENTS, position.pod).first:
                    raise
                # It has expired since it was listed.


def _wanted(objects: ObjectClient, prefix: str, position: Offset) -> list[StoredSegment]:
    # The floor after the list: a sweep raises it before it deletes anything that the list may lack.
    found = segments(objects, prefix, EVENTS, position.pod)
    first = floors.read(objects, prefix, EVENTS, position.pod).first
    return up_to(found, position.offset, pod=position.pod, first=first)


def _records(objects: ObjectClient, segment: StoredSegment, position: Offset, kek: Kek) -> Iterator[Record]:
    entries = _read(objects, segment, kek)
    for seq, entry in enumerate(entries, segment.first):
        if seq > position.offset:
            return
        record = codec.decode(entry)
        if not isinstance(record, BadRow):
            yield placed(record, position.pod, seq)


def read_badrows(objects: ObjectClient, prefix: str, kek: Kek, *, after: tuple[str, int] = ("", 0)) -> Iterator[BadRow]:
    """All bad rows that are stored now, in order (pod, then number), each with `pod` and `seq` set.

    `after` is the (pod, number) of a row: segments up to it are not read.
    """
    for pod in pods(objects, prefix, BAD_ROWS):
        for segment in segments(objects, prefix, BAD_ROWS, pod):
            if (pod, segment.last) <= after:
                continue
            try:
                entries = _read(objects, segment, kek)
            except ObjectMissing:
                continue  # it has expired since it was listed
            for seq, entry in enumerate(entries, segment.first):
                record = codec.decode(entry)
                if isinstance(record, BadRow):
                    yield msgspec.structs.replace(record, pod=pod, seq=seq)


def _read(objects: ObjectClient, segment: StoredSegment, kek: Kek) -> list[bytes]:
    entries = opened(objects.get(segment.key), key=segment.key, kek=kek)
    if len(entries) != segment.last - segment.first + 1:
        raise EnvelopeError(f"stored segment {segment.key} does not hold the records that its name says")
    return entries
