"""The write-ahead log: one frame and one durable write for all that is waiting, by one committer thread.

There is no timer: while a write is on its way to the disk, what arrives gathers for the next one. A batch
is answered only when its write was durable. The thread does nothing but system calls, one for a frame, so
that it hardly ever competes with the event loop for the interpreter; everything else is done on the loop.

A write that failed, for want of space or in its sync, ends its segment: nothing certain is known about the
file behind its last good byte, and a sync that failed must never be tried again on the same descriptor (the
kernel may have marked the pages clean). The good part is handed on, and the next batch begins a new segment.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbackloop.events.keys import Kek
from feedbackloop.events.segment import SegmentWriter
from feedbackloop.gateway import failpoints
from feedbackloop.gateway.disk import NO_SPACE, Disk

SEGMENT_BYTES = 4 << 20
FRAME_BYTES = 2 << 20
"""What waits beyond this goes into a frame of its own: a frame is copied a few times on its way."""
RETRY_SECONDS = 1.0
RECOVERING = "Recovering"
"""The reason while a failed write is too recent to try again."""

logger = logging.getLogger(__name__)


class LogUnavailable(Exception):  # noqa: N818
    """The log cannot take anything now; `reason` is a word for a metric or a status."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Append:
    """Something to be committed: packed entries, how many are numbered, and what waits for them."""

    entries: bytes
    events: int
    bad_rows: int
    received_at: int
    payload: Any = None


@dataclass(frozen=True)
class Position:
    """The next numbers: of a segment, an event and a bad row."""

    segment: int = 1
    event: int = 1
    bad_row: int = 1


@dataclass(frozen=True)
class Sealed:
    """A segment that nothing is written to any more. Entries numbered at or above the ends are not in the log."""

    number: int
    path: Path
    length: int
    first_event: int
    end_event: int
    first_bad_row: int
    end_bad_row: int


@dataclass(slots=True)
class _Open:
    number: int
    path: Path
    writer: SegmentWriter
    start: Position
    fd: int = -1
    length: int = 0
    opened_at: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class _Job:
    """A frame on its way to the disk."""

    segment: _Open
    appends: list[Append]
    frame: int
    data: bytes
    error: OSError | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A finished batch: durable up to a frame, or failed."""

    appends: list[Append]
    segment: int = 0
    frame: int = 0
    error: LogUnavailable | None = None


class Log:
    """The open end of the log. All methods and callbacks are for the event loop's thread."""

    def __init__(
        self,
        directory: Path,
        *,
        kek: Kek,
        loop_uid: str,
        pod: str,
        position: Position,
        committed: Callable[[Committed], None],
        sealed: Callable[[Sealed], None],
        disk: Disk | None = None,
    ) -> None:
        self._directory, self._kek, self._uid, self._pod = directory, kek, loop_uid, pod
        self._disk = disk or Disk()
        self._next = position
        self._committed, self._sealed = committed, sealed
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Append] = []
        self._busy, self._roll = False, False
        self._idle = asyncio.Event()
        self._idle.set()
        self._open: _Open | None = None
        self._not_before = 0.0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    @property
    def open_bytes(self) -> int:
        """Bytes of the segment that is being written."""
        return self._open.length if self._open else 0

    @property
    def open_age(self) -> float:
        """Seconds since the segment that is being written was begun; 0 without one."""
        return time.monotonic() - self._open.opened_at if self._open else 0.0

    @property
    def next_segment(self) -> int:
        """The number of the next segment to be begun."""
        return self._next.segment

    def append(self, item: Append) -> None:
        """Queues one item; the `committed` callback tells its end."""
        self._waiting.append(item)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # At the end of this turn of the loop, so that all requests of the turn share a frame.
            self._loop.call_soon(self._flush)

    def roll(self) -> None:
        """Seals the open segment, now or after the write that is under way."""
        if self._busy:
            self._roll = True
        else:
            self._seal()

    async def close(self) -> None:
        """Commits what is waiting, seals and stops."""
        await self._idle.wait()
        self._seal()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _flush(self) -> None:
        appends = self._take()
        if self._open is None and time.monotonic() < self._not_before:
            self._end(Committed(appends, error=LogUnavailable(RECOVERING)))
            return
        segment = self._open or self._begin()
        frame = segment.writer.frames
        data = segment.writer.frame(
            first_event=self._next.event,
            first_bad_row=self._next.bad_row,
            entries=b"".join([item.entries for item in appends]),
        )
        failpoints.reached("appended")
        self._jobs.put(_Job(segment, appends, frame, data))

    def _take(self) -> list[Append]:
        """What goes into the next frame, oldest first."""
        size = 0
        for count, item in enumerate(self._waiting):
            size += len(item.entries)
            if size > FRAME_BYTES and count:
                appends, self._waiting = self._waiting[:count], self._waiting[count:]
                return appends
        appends, self._waiting = self._waiting, []
        return appends

    def _begin(self) -> _Open:
        number, position = self._next.segment, self._next
        writer = SegmentWriter(
            kek=self._kek,
            loop_uid=self._uid,
            pod=self._pod,
            number=number,
            position=(position.event, position.bad_row),
        )
        self._next = Position(number + 1, position.event, position.bad_row)
        self._open = _Open(number, self._directory / f"{number:012}.seg", writer, self._next)
        return self._open

    def _work(self) -> None:
        """The committer thread: system calls only."""
        while (job := self._jobs.get()) is not None:
            try:
                if job.segment.fd < 0:
                    self._create(job.segment)
                self._disk.write_durably(job.segment.fd, job.data, job.segment.length)
                failpoints.reached("synced")
            except OSError as error:
                job.error = error
            self._loop.call_soon_threadsafe(self._finished, job)

    def _create(self, segment: _Open) -> None:
        segment.fd = self._disk.open_new(segment.path)
        self._disk.write_durably(segment.fd, segment.writer.header, 0)
        failpoints.reached("created")
        self._disk.sync_directory(self._directory)
        segment.length = len(segment.writer.header)

    def _finished(self, job: _Job) -> None:
        if job.error is not None:
            self._end(Committed(job.appends, error=self._give_up(job.segment, job.error)))
            return
        job.segment.length += len(job.data)
        events = bad_rows = 0
        for item in job.appends:
            events += item.events
            bad_rows += item.bad_rows
        self._next = Position(self._next.segment, self._next.event + events, self._next.bad_row + bad_rows)
        self._end(Committed(job.appends, job.segment.number, job.frame))

    def _end(self, batch: Committed) -> None:
        self._committed(batch)
        if self._roll or self.open_bytes >= SEGMENT_BYTES:
            self._roll = False
            self._seal()
        if self._waiting:
            self._flush()
        else:
            self._busy = False
            self._idle.set()

    def _give_up(self, segment: _Open, error: OSError) -> LogUnavailable:
        """Ends a segment whose write failed; its committed part is handed on."""
        logger.error("a write to the log failed (errno %s); segment %s is closed", error.errno, segment.number)
        self._not_before = time.monotonic() + RETRY_SECONDS
        if segment.fd >= 0:
            try:
                self._disk.truncate(segment.fd, segment.length)
            except OSError:
                logger.error("segment %s could not be cut back; readers skip its end", segment.number)
        self._seal()
        return LogUnavailable("DiskFull" if error.errno in NO_SPACE else "WriteFailed")

    def _seal(self) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        if segment.fd >= 0:
            self._disk.close(segment.fd)
        failpoints.reached("roll")
        if segment.length == 0:
            segment.path.unlink(missing_ok=True)
            return
        self._sealed(
            Sealed(
                number=segment.number,
                path=segment.path,
                length=segment.length,
                first_event=segment.start.event,
                end_event=self._next.event,
                first_bad_row=segment.start.bad_row,
                end_bad_row=self._next.bad_row,
            )
        )
