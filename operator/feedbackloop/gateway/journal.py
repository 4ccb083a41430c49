"""The journal: everything that must survive goes through it, once and in order.

`submit` queues records; when their frame is durable they are applied to the state, their ids become
known, and the waiting request goes on, in this order and on the event loop. A request that is told
"stored" is therefore on disk, and the state never holds what the log does not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from feedbackloop.events import codec
from feedbackloop.events.codec import Stored
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import BadRow
from feedbackloop.events.segment import Kind, pack_entry
from feedbackloop.gateway import failpoints, meta
from feedbackloop.gateway.ballast import Ballast
from feedbackloop.gateway.clock import LogClock
from feedbackloop.gateway.dedupe import Commit, Dedupe
from feedbackloop.gateway.law import Law, events_of
from feedbackloop.gateway.meta import Meta
from feedbackloop.gateway.state import State
from feedbackloop.gateway.ticket import Key, Then, Ticket
from feedbackloop.gateway.until_stored import REASON as STORAGE_UNAVAILABLE
from feedbackloop.gateway.until_stored import UntilStored
from feedbackloop.gateway.volume import Volume
from feedbackloop.gateway.wal import RECOVERING, Append, Committed, Log, LogUnavailable, Position, Sealed

PENDING_BYTES = 16 << 20
"""Bytes of frames to be written. In memory each is there about three times: as a record, encoded, and in its frame."""
BALLAST = "ballast"
_EVENT, _BAD_ROW, _META = int(Kind.EVENT), int(Kind.BAD_ROW), int(Kind.META)


class Journal:
    """The log together with the state that it implies. For the event loop's thread, callbacks included."""

    def __init__(self, volume: Volume, *, kek: Kek, loop_uid: str, pod: str, state: State, dedupe: Dedupe) -> None:
        self.state, self.dedupe = state, dedupe
        self.sealed: asyncio.Queue[Sealed] = asyncio.Queue()
        self.position = (0, -1)
        """Segment and frame of the newest entry in the state."""
        self.limit_bytes = volume.default_limit()
        self.sealed_bytes = 0
        """Bytes of sealed segments that are still on the volume."""
        self.failure: str | None = None
        """Why the last commit failed, until one succeeds."""
        self.closed = False
        """Takes nothing any more: drained or about to end."""
        self._volume, self._kek, self._uid, self._pod = volume, kek, loop_uid, pod
        self._loop = asyncio.get_running_loop()
        self._pending: deque[Append] = deque()
        self._pending_bytes = 0
        self._full = False
        self._refusal: str | None = None
        self.clock = LogClock(state.clock)
        self.law = Law(state.taken)
        self.until_stored: UntilStored | None = None
        """Set while answers wait for object storage."""
        self._catching_up = 0
        """The newest segment of a time when answers did not wait for object storage."""
        self._newest_stored = 0
        self._log: Log | None = None

    def start(self, next_segment: int) -> None:
        """Opens the log for writing, after recovery has brought the state up to date."""
        self._volume.ballast = Ballast(self._volume.root / BALLAST, self.limit_bytes)
        self._volume.ballast.make()
        self._log = Log(
            self._volume.wal,
            kek=self._kek,
            loop_uid=self._uid,
            pod=self._pod,
            position=Position(next_segment, self.state.stored + 1, self.state.bad_rows + 1),
            committed=self._on_committed,
            sealed=self._on_sealed,
            disk=self._volume.disk,
        )
        self.review()

    @property
    def log(self) -> Log:
        assert self._log is not None, "the journal was not started"
        return self._log

    def now_ms(self) -> int:
        """The log's clock, Unix milliseconds; it never runs backwards."""
        return self.clock.now_ms()

    def horizon_ms(self) -> int:
        """Nothing older than this will still be applied: windows that end before it may close."""
        return self._pending[0].received_at if self._pending else self.now_ms()

    @property
    def used_bytes(self) -> int:
        """Bytes of the log on the volume."""
        return self.sealed_bytes + self.log.open_bytes

    def review(self) -> None:
        """Decides anew whether the log takes anything; to be called when one of the reasons may have changed."""
        used = self.used_bytes
        self._full = used > self.limit_bytes or (self._full and used > self.limit_bytes * 9 // 10)
        if self.closed:
            self._refusal = "Draining"
        elif self._pending_bytes > PENDING_BYTES:
            self._refusal = "Overloaded"
        elif self.until_stored is not None and (reason := self._storage_refusal(self.until_stored)):
            self._refusal = reason
        elif self._volume.lacks_ballast:
            self._refusal = "DiskFull"
        else:
            self._refusal = "VolumeFull" if self._full else None

    def _storage_refusal(self, waiting: UntilStored) -> str | None:
        if waiting.failing:
            return STORAGE_UNAVAILABLE
        # Ids in older segments look settled: until those are stored, a repetition would be answered too early.
        return "CatchingUp" if self._catching_up > self._newest_stored else None

    def wait_for_storage(self, wanted: bool) -> None:
        """Whether submissions end only when they are in object storage, from now on."""
        if wanted and self.until_stored is None:
            self.until_stored = UntilStored(self._end_stored)
            if self.used_bytes:
                self._catching_up = self.log.next_segment - 1
                self.log.roll()
        elif not wanted and self.until_stored is not None:
            waiting, self.until_stored = self.until_stored, None
            waiting.release()
        self.review()

    def stored(self, segment: Sealed) -> None:
        """The segment is in object storage and off the volume."""
        self.sealed_bytes -= segment.length
        self._newest_stored = segment.number
        if self.until_stored is not None:
            self.until_stored.stored(segment.number)
        self.review()

    def tick(self) -> None:
        """Regular work: waits that have lasted too long, a sample of the law."""
        waiting = self.until_stored
        if waiting is not None:
            waiting.expire()
            self.review()
        self.law.sample(self.state.taken, waiting.events if waiting else 0)

    def check(self) -> None:
        """Raises LogUnavailable when a submission would be refused."""
        if self._refusal is not None:
            raise LogUnavailable(self._refusal)

    def post(
        self,
        records: Sequence[Stored],
        *,
        metas: Sequence[Meta] = (),
        keys: Sequence[Key] = (),
        then: Then | None = None,
    ) -> Ticket:
        """Queues records; `then` is called when they are durable, or with what prevented it.

        Raises LogUnavailable at once when the log takes nothing; then `then` is not called.
        """
        failpoints.reached("decoded")
        self.check()
        ticket = Ticket([*records, *metas] if metas else records, keys, then)
        for key, fingerprint in keys:
            self.dedupe.reserve(key, fingerprint, ticket)
        bad_rows = 0
        parts = []
        for record in records:
            bad = type(record) is BadRow
            bad_rows += bad
            parts.append(pack_entry(_BAD_ROW if bad else _EVENT, codec.encode(record)))
        for entry in metas:
            parts.append(pack_entry(_META, meta.encode(entry)))
        self._queue(b"".join(parts), len(records) - bad_rows, bad_rows, ticket)
        return ticket

    async def submit(self, records: Sequence[Stored], *, metas: Sequence[Meta] = (), keys: Sequence[Key] = ()) -> None:
        """Returns when the records may be answered for. Raises LogUnavailable."""
        ticket, kept = self.post(records, metas=metas, keys=keys), False
        try:
            await ticket.wait()
            kept = True
        finally:
            self.law.told(events_of(ticket), stored=kept)

    async def repeated(self, commit: Commit | None) -> None:
        """Returns when the repetition of one event may be answered for. Raises LogUnavailable."""
        kept = False
        try:
            if commit is not None:
                await commit.wait()
            kept = True
        finally:
            self.law.told(1, stored=kept)

    def note(self, entry: Meta) -> None:
        """Queues an entry that nobody waits for; dropped when the log takes nothing (it then only counts here)."""
        try:
            self.check()
        except LogUnavailable:
            self.state.apply(entry)
            return
        self._queue(pack_entry(_META, meta.encode(entry)), 0, 0, Ticket([entry], (), None))

    def refill(self) -> None:
        """Makes the ballast again, if there is room for it. Blocks."""
        if self._volume.ballast is not None:
            self._volume.ballast.make()

    @property
    def lacks_ballast(self) -> bool:
        return self._volume.lacks_ballast

    def probe(self) -> None:
        """After a failed write: an empty frame tells whether the log works again, also when nobody else asks."""
        if self.failure is not None and self._refusal is None and not self._pending:
            self._queue(b"", 0, 0, Ticket((), (), None))

    @property
    def refusal(self) -> str | None:
        """Why nothing is taken, or why the last write failed; None while all is well."""
        return self._refusal or self.failure

    def _queue(self, data: bytes, events: int, bad_rows: int, ticket: Ticket) -> None:
        received_at = ticket.entries[0].received_at if ticket.entries else self.now_ms()
        item = Append(data, events, bad_rows, received_at, ticket)
        self._pending.append(item)
        self._pending_bytes += len(data)
        if self._pending_bytes > PENDING_BYTES:
            self.review()
        self.log.append(item)

    def _on_committed(self, batch: Committed) -> None:
        self._note_failure(batch.error)
        for item in batch.appends:
            self._pending.popleft()
            self._pending_bytes -= len(item.entries)
            if batch.error is None:
                self._settle(item.payload, batch.segment)
            else:
                self._fail(item.payload, batch.error)
        if batch.error is None:
            self.position = (batch.segment, batch.frame)
        self.review()

    def _note_failure(self, error: LogUnavailable | None) -> None:
        if error is None or self.failure is None or error.reason != RECOVERING:
            self.failure = error.reason if error else None

    def _settle(self, ticket: Ticket, segment: int) -> None:
        for entry in ticket.entries:
            self.state.apply(entry)
        if self.until_stored is not None and (ticket.keys or ticket.awaited):
            self.until_stored.hold(segment, ticket)
        else:
            self._end_stored(ticket)

    def _end_stored(self, ticket: Ticket) -> None:
        for key, fingerprint in ticket.keys:
            self.dedupe.settle(key, fingerprint)
        ticket.end(None)

    def _fail(self, ticket: Ticket, error: LogUnavailable) -> None:
        for key, _ in ticket.keys:
            self.dedupe.release(key)
        ticket.end(error)

    def _on_sealed(self, segment: Sealed) -> None:
        self.sealed_bytes += segment.length
        self.review()
        self.sealed.put_nowait(segment)

    async def close(self) -> None:
        """Takes nothing more, commits what is queued and stops the committer."""
        self.closed = True
        self._refusal = "Draining"
        if self._log is not None:
            await self._log.close()
