"""Turning one sealed segment into stored objects (blocking; runs in the uploader's thread)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from feedbackloop.events import inner, sealing, store
from feedbackloop.events.errors import ObjectExists, StorageUnavailable
from feedbackloop.events.keyring.table import Row
from feedbackloop.events.keys import Kek
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from feedbackloop.events.segment import Kind
from feedbackloop.gateway.checkpoint import Index, LedgerPosition
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.ledger import LedgerWriter
from feedbackloop.gateway.recovery import Contents, read_segment
from feedbackloop.gateway.restore import counted_session, decode_entry
from feedbackloop.gateway.wal import Sealed


class Conflict(Exception):  # noqa: N818
    """Another object lies under this segment's key: never overwritten, a person must look."""


@dataclass(frozen=True)
class Parcel:
    """One object to be stored, with the entries inside it as they are on the volume."""

    key: str
    data: bytes
    entries: list[bytes]
    metadata: dict[str, str] = field(default_factory=dict)
    plain: bool = False
    """Stored as it is: made again it has the same bytes."""


@dataclass
class Shipment:
    """A sealed segment made ready for storage, and what must be remembered of it."""

    sealed: Sealed
    parcels: list[Parcel] = field(default_factory=list)
    trainable: int = 0
    damaged: bool = False
    ledger: LedgerPosition | None = None
    """Where the ledger ends with this segment."""
    ids: list[tuple[int, int]] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)
    rows: dict[int, list[Row | None]] = field(default_factory=lambda: {Kind.EVENT: [], Kind.BAD_ROW: [], Kind.META: []})
    """By kind of entry: the subject keys that the entries are to be sealed under."""

    def index(self) -> Index:
        return Index.of(self.ids, self.sessions)


def pack(sealed: Sealed, *, prefix: str, pod: str, kek: Kek, dedupe: Dedupe, trainable: int = 0,
         ledger: LedgerWriter | None = None, epoch_seconds: int = inner.EPOCH_SECONDS) -> Shipment:  # fmt: skip
    """Reads a segment and seals its events and bad rows as objects, under the keys of their subjects.

    Raises FrameError, OSError, StorageUnavailable, KeyServiceUnavailable.

    `trainable` signals are in the log before it: the events object declares how many there are up to its end, which
    tells a fresh volume where to go on.
    """
    data = sealed.path.read_bytes()[: sealed.length]
    contents = read_segment(data, kek=kek, end=(sealed.end_event, sealed.end_bad_row))
    shipment = _summary(sealed, contents, dedupe, epoch_seconds)
    if ledger is not None:
        _add_ledger(shipment, ledger, contents, prefix)
    streams = (
        (store.EVENTS, Kind.EVENT, sealed.first_event),
        (store.BAD_ROWS, Kind.BAD_ROW, sealed.first_bad_row),
    )
    for stream, kind, first in streams:
        if entries := contents.of_kind(kind):
            key = store.object_key(prefix, stream, pod, first, first + len(entries) - 1)
            metadata = {store.TRAINABLE: str(trainable + shipment.trainable)} if kind == Kind.EVENT else {}
            at = sealing.place(store.loop_of(prefix), pod, stream)
            inside = inner.seal(entries, shipment.rows[kind], kek=kek, at=at, first=first)
            shipment.parcels.append(Parcel(key, store.seal(inside, key=key, kek=kek), entries, metadata))
    return shipment


def _add_ledger(shipment: Shipment, ledger: LedgerWriter, contents: Contents, prefix: str) -> None:
    """First of the parcels: whoever sees an event in object storage finds there what was said of consent before it."""
    file, shipment.ledger = ledger.file(contents.of_kind(Kind.EVENT), shipment.sealed.first_event)
    if file is not None:
        shipment.parcels.append(Parcel(ledger.key(prefix, file.name), file.data, [], plain=True))


def deliver(objects: ObjectClient, shipment: Shipment, *, kek: Kek) -> None:
    """Stores all objects of a segment, each verified. Raises StorageUnavailable, Conflict."""
    for parcel in shipment.parcels:
        _deliver(objects, parcel, kek)


def _deliver(objects: ObjectClient, parcel: Parcel, kek: Kek) -> None:
    try:
        objects.put_new(parcel.key, parcel.data, parcel.metadata)
    except ObjectExists:
        # A PUT whose answer was lost: both layers are random, so compare what is inside.
        if not _same(parcel, objects.get(parcel.key), kek):
            raise Conflict(parcel.key) from None
        return
    _verify(objects, parcel.key, parcel.data)


def _same(parcel: Parcel, stored: bytes, kek: Kek) -> bool:
    if parcel.plain:
        return stored == parcel.data
    entries = store.opened(stored, key=parcel.key, kek=kek)
    # Of a subject that was erased in between, nothing can be compared any more.
    return len(entries) == len(parcel.entries) and all(
        found in (expected, inner.ERASED) for found, expected in zip(entries, parcel.entries, strict=True)
    )


def _summary(sealed: Sealed, contents: Contents, dedupe: Dedupe, epoch_seconds: int) -> Shipment:
    shipment = Shipment(sealed, damaged=contents.damaged)
    for entry in contents.entries:
        content = decode_entry(entry.kind, entry.data)
        shipment.rows[entry.kind].append(inner.row_of(content, epoch_seconds))
        if content is None:
            continue
        if isinstance(content, FeedbackRecord):
            shipment.trainable += content.trainable
        if isinstance(content, FeedbackRecord | InteractionRecord) and content.fingerprint:
            shipment.ids.append((dedupe.key_of(content.subject, content.event_id), content.fingerprint))
        if session := counted_session(content):
            shipment.sessions.append(session)
    return shipment


def _verify(objects: ObjectClient, key: str, data: bytes) -> None:
    info = objects.head(key)
    if info.size != len(data) or info.sha256 != hashlib.sha256(data).hexdigest():
        raise StorageUnavailable("VerificationFailed")
