"""Proxied interactions go to the log of the pod that owns their session, before their answer ends.

The answering pod counts the request as traffic; the owner stores the record and counts the unit. While the owner is
away the record stays with the pod that answered, marked so that its session is not counted.
"""

from __future__ import annotations

import zlib

import msgspec
from msgspec import Struct

from feedbackloop.events import codec
from feedbackloop.events.codec import Stored
from feedbackloop.events.records import InteractionRecord, Serving
from feedbackloop.gateway import meta
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.meta import Duplicates, Served

WHAT = "records"


class Handover(Struct, array_like=True, frozen=True):
    """What one pod gives to the owner: encoded records, and requests that left none."""

    records: tuple[bytes, ...] = ()
    served: tuple[bytes, ...] = ()


_decoder = msgspec.msgpack.Decoder(Handover)
_encode = msgspec.msgpack.Encoder().encode


def handover(records: tuple[InteractionRecord, ...] = (), served: tuple[Served, ...] = ()) -> bytes:
    """The message."""
    return _encode(Handover(tuple(map(codec.encode, records)), tuple(map(meta.encode, served))))


def elsewhere(record: InteractionRecord) -> InteractionRecord:
    """The record as its owner stores it: the pod that answered counts the traffic, and a repetition is known by id."""
    fingerprint = zlib.crc32(record.event_id.encode()) or 1
    return msgspec.structs.replace(record, serving=_elsewhere(record.serving), fingerprint=fingerprint)


def _elsewhere(serving: Serving | None) -> Serving | None:
    return None if serving is None else msgspec.structs.replace(serving, elsewhere=True)


def uncounted(record: InteractionRecord) -> InteractionRecord:
    """The record as the answering pod keeps it while the owner is away."""
    serving = None if record.serving is None else msgspec.structs.replace(record.serving, counted=False)
    return msgspec.structs.replace(record, serving=serving)


def dropped(served: Served) -> Served:
    """A request that another arm answered, as the owner must know it: its session counts in neither arm."""
    return Served(served.received_at, msgspec.structs.replace(served.serving, elsewhere=True), served.session)


class Receiver:
    """Takes what other pods hand over. Every record once, however often it comes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def take(self, message: bytes) -> bytes:
        """Returns when everything is durable. Raises LogUnavailable."""
        given = _decoder.decode(message)
        for served in given.served:
            entry = meta.decode(served)
            if isinstance(entry, Served):
                self._journal.note(msgspec.structs.replace(entry, received_at=self._journal.now_ms()))
        for encoded in given.records:
            await self._store(codec.decode(encoded))
        return b"ok"

    async def _store(self, record: Stored) -> None:
        if not isinstance(record, InteractionRecord):
            return
        journal = self._journal
        key = journal.dedupe.key_of(record.subject, record.event_id)
        known = journal.dedupe.find(key)
        if known is None:
            # By this log's clock, which never runs backwards, whatever the other pod's says.
            mine = msgspec.structs.replace(record, received_at=journal.now_ms())
            await journal.submit([mine], keys=[(key, record.fingerprint)])
            return
        journal.note(Duplicates(journal.now_ms(), 1))
        await journal.repeated(known[1])
