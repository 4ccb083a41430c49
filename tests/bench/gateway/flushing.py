"""What both layers of encryption cost when a segment is flushed, a record, and as a share of ingesting it.

Timed in this process by its CPU clock, with keys that are known (a new subject costs a change of its table besides);
the CPU time of ingesting a single event is measured in the same run. The first figure includes the compression.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from feedbackloop.events import codec, inner, keys, sealing, store
from feedbackloop.events.keyring.table import Row
from feedbackloop.events.records import FeedbackRecord
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure
from tests.unit.events.keyring.rig import PREFIX, UID, Loop

NAMES = ("flush.seal_us", "flush.cpu_share")
RECORDS, EVENTS = 8000, 8000


def measure(effort: Effort) -> Iterator[Figure]:
    flush = Flush(effort.of(RECORDS, least=200))
    inside, layers, shares = [], [], []
    with servers.gateway() as gateway:
        tokens = servers.tokens(gateway)
        for _ in range(effort.pairs + 1):
            sent = payloads.singles(tokens, effort.of(EVENTS))
            ingest_us = 1e6 / servers.rate(gateway.pid, gateway.feedback, sent)
            inside.append(flush.timed(flush.inside))
            layers.append(flush.timed(flush.crypto_alone))
            shares.append(layers[-1] / ingest_us)
    yield Figure.median(NAMES[0], inside[1:], unit="us", goal="<=6", records=flush.count)
    yield Figure.median(
        NAMES[1], shares[1:], unit="share", goal="<=0.08", crypto_us=[round(us, 2) for us in layers[1:]]
    )


class Flush:
    """The records of one segment, of as many subjects as there are tokens, and their keys."""

    def __init__(self, count: int) -> None:
        self.count, self._ring = count, Loop().keyring()
        subjects = [os.urandom(16).hex() for _ in range(servers.SESSIONS)]
        records = [_record(number, subjects[number % len(subjects)]) for number in range(count)]
        self._entries = [codec.encode(record) for record in records]
        self._rows: list[Row | None] = [inner.row_of(record) for record in records]
        self._at = sealing.place(UID, "pod-0", store.EVENTS)
        self._key = store.object_key(PREFIX, store.EVENTS, "pod-0", 1, count)
        self._packed = list(map(sealing.compressor(), self._entries))
        self._sealed = self.inside()

    def timed(self, work: Callable[[], object]) -> float:
        """Microseconds of CPU a record."""
        with cpu.core(cpu.SERVER):
            start = time.thread_time_ns()
            work()
            return (time.thread_time_ns() - start) / 1000 / self.count

    def inside(self) -> list[bytes]:
        """Compressed and sealed under their subjects' keys."""
        return inner.seal(self._entries, self._rows, kek=self._ring, at=self._at, first=1)

    def crypto_alone(self) -> None:
        """Both layers without the compression of single records."""
        found = self._ring.subjects.for_sealing(row for row in self._rows if row is not None)
        nonces = os.urandom(keys.NONCE_BYTES * self.count)
        for index, (packed, row) in enumerate(zip(self._packed, self._rows, strict=True)):
            key = found[row] if row is not None else None
            assert key is not None
            nonce = nonces[index * keys.NONCE_BYTES : (index + 1) * keys.NONCE_BYTES]
            sealing.seal(packed, key, nonce, self._at, index + 1, _as_it_is)
        store.seal(self._sealed, key=self._key, kek=self._ring)


def _record(number: int, subject: str) -> FeedbackRecord:
    return FeedbackRecord(
        event_id=f"{number:08x}-0000-4000-8000-000000000000",
        received_at=1_790_000_000_000 + number,
        subject=subject,
        signal="note",
        kind="Comment",
        value=payloads.TEXT,
        output_id=f"o-{number:08x}-0000-4000-8000-000000000000",
        session=subject,
        fingerprint=number * 0x9E3779B97F4A7C15 % 2**63,
        channel="token",
    )


def _as_it_is(data: bytes) -> bytes:
    return data
