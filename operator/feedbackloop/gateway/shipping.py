"""Turning one sealed segment into stored objects (blocking; runs in the uploader's thread)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from feedbackloop.events import store
from feedbackloop.events.errors import ObjectExists, StorageUnavailable
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from feedbackloop.events.segment import Kind
from feedbackloop.gateway.checkpoint import Index
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.recovery import Contents, read_segment
from feedbackloop.gateway.restore import counted_session, decode_entry
from feedbackloop.gateway.wal import Sealed


class Conflict(Exception):  # noqa: N818
    """Another object lies under this segment's key: never overwritten, a person must look."""


@dataclass
class Shipment:
    """A segment that is in object storage, and what must be remembered of it."""

    sealed: Sealed
    trainable: int = 0
    damaged: bool = False
    ids: list[tuple[int, int]] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)

    def index(self) -> Index:
        return Index.of(self.ids, self.sessions)


def ship(objects: ObjectClient, sealed: Sealed, *, prefix: str, pod: str, kek: bytes, dedupe: Dedupe) -> Shipment:
    """Stores a segment's events and bad rows. Raises StorageUnavailable, Conflict, FrameError."""
    data = sealed.path.read_bytes()[: sealed.length]
    contents = read_segment(data, kek=kek, end=(sealed.end_event, sealed.end_bad_row))
    _store(objects, store.EVENTS, sealed.first_event, contents.of_kind(Kind.EVENT), prefix=prefix, pod=pod, kek=kek)
    bad_rows = contents.of_kind(Kind.BAD_ROW)
    _store(objects, store.BAD_ROWS, sealed.first_bad_row, bad_rows, prefix=prefix, pod=pod, kek=kek)
    return _summary(sealed, contents, dedupe)


def _summary(sealed: Sealed, contents: Contents, dedupe: Dedupe) -> Shipment:
    shipment = Shipment(sealed, damaged=contents.damaged)
    for entry in contents.entries:
        content = decode_entry(entry.kind, entry.data)
        if content is None:
            continue
        if isinstance(content, FeedbackRecord):
            shipment.trainable += content.trainable
        if isinstance(content, FeedbackRecord | InteractionRecord) and content.fingerprint:
            shipment.ids.append((dedupe.key_of(content.subject, content.event_id), content.fingerprint))
        if session := counted_session(content):
            shipment.sessions.append(session)
    return shipment


def _store(
    objects: ObjectClient, stream: str, first: int, entries: list[bytes], *, prefix: str, pod: str, kek: bytes
) -> None:
    if not entries:
        return
    key = store.object_key(prefix, stream, pod, first, first + len(entries) - 1)
    data = store.seal(entries, key=key, kek=kek)
    try:
        objects.put_new(key, data)
    except ObjectExists:
        # A PUT whose answer was lost: the envelope is random, so compare what is inside.
        if store.unseal(objects.get(key), key=key, kek=kek) != entries:
            raise Conflict(key) from None
        return
    _verify(objects, key, data)


def _verify(objects: ObjectClient, key: str, data: bytes) -> None:
    info = objects.head(key)
    if info.size != len(data) or info.sha256 != hashlib.sha256(data).hexdigest():
        raise StorageUnavailable("VerificationFailed")
