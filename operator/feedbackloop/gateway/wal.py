"""The write-ahead log: one committer thread, one frame and one fdatasync for all that is waiting.

There is no timer: while a sync runs, what arrives gathers for the next one. A batch is answered
only after its fdatasync. When a write fails, the file is cut back to its last good byte and the batch
fails; when a sync fails, nothing is known about the file any more: the segment is dead, its good part
is handed on, and the next batch goes to a new one (an fsync that failed must never be tried again on
the same descriptor: the kernel may have marked the pages clean).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbackloop.events.segment import SegmentWriter
from feedbackloop.gateway.disk import Disk, write_all

SEGMENT_BYTES = 8 << 20
RETRY_SECONDS = 1.0

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
    fd: int
    writer: SegmentWriter
    length: int
    start: Position
    opened_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Committed:
    """A finished batch: durable up to a frame, or failed."""

    appends: list[Append]
    segment: int = 0
    frame: int = 0
    error: LogUnavailable | None = None


class Log:
    """The open end of the log. `append` and `roll` may be called by any thread; the callbacks run in the committer."""

    def __init__(
        self,
        directory: Path,
        *,
        kek: bytes,
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
        self._waiting: deque[Append] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._idle, self._closing, self._roll = True, False, False
        self._open: _Open | None = None
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def open_bytes(self) -> int:
        """Bytes of the segment that is being written."""
        segment = self._open
        return segment.length if segment else 0

    @property
    def open_age(self) -> float:
        """Seconds since the segment that is being written was begun; 0 without one."""
        segment = self._open
        return time.monotonic() - segment.opened_at if segment else 0.0

    def append(self, item: Append) -> None:
        """Queues one item; the `committed` callback tells its end."""
        self._waiting.append(item)
        if self._idle:
            self._idle = False
            self._wake.put(None)

    def roll(self) -> None:
        """Seals the open segment soon, if it holds anything."""
        self._roll = True
        self._wake.put(None)

    def close(self) -> None:
        """Commits what is waiting, seals and stops. Blocks until then."""
        self._closing = True
        self._wake.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.get()
            while self._waiting:
                self._commit([self._waiting.popleft() for _ in range(len(self._waiting))])
                self._roll = self._roll or self.open_bytes >= SEGMENT_BYTES
                self._roll_if_asked()
                # Told idle before the last look, so that an append between them wakes us again.
                self._idle = not self._waiting
            self._roll_if_asked()
            self._idle = True
            if self._waiting:
                self._wake.put(None)
            elif self._closing:
                self._seal()
                return

    def _roll_if_asked(self) -> None:
        if self._roll:
            self._roll = False
            self._seal()

    def _commit(self, appends: list[Append]) -> None:
        try:
            segment, frame = self._write(appends)
        except LogUnavailable as error:
            self._committed(Committed(appends, error=error))
        except Exception as error:
            logger.error("the committer failed: %s", type(error).__name__)
            self._abandon()
            self._committed(Committed(appends, error=LogUnavailable("Failed")))
        else:
            self._committed(Committed(appends, segment, frame))

    def _write(self, appends: list[Append]) -> tuple[int, int]:
        segment = self._open or self._start()
        frame = segment.writer.frames
        data = segment.writer.frame(
            first_event=self._next.event,
            first_bad_row=self._next.bad_row,
            entries=b"".join([item.entries for item in appends]),
        )
        self._write_frame(segment, data)
        self._sync(segment)
        segment.length += len(data)
        self._next = Position(
            segment=self._next.segment,
            event=self._next.event + sum([item.events for item in appends]),
            bad_row=self._next.bad_row + sum([item.bad_rows for item in appends]),
        )
        return segment.number, frame

    def _write_frame(self, segment: _Open, data: bytes) -> None:
        try:
            write_all(segment.fd, data, self._disk)
        except OSError as error:
            logger.error("log write failed: errno %s", error.errno)
            self._not_before = time.monotonic() + RETRY_SECONDS
            self._cut_back(segment)
            raise LogUnavailable("DiskFull" if error.errno in (28, 122) else "WriteFailed") from None

    def _cut_back(self, segment: _Open) -> None:
        try:
            self._disk.truncate(segment.fd, segment.length)
        except OSError:
            self._abandon()

    def _sync(self, segment: _Open) -> None:
        try:
            self._disk.sync(segment.fd)
        except OSError as error:
            logger.error("log sync failed: errno %s; the segment is given up", error.errno)
            self._abandon()
            raise LogUnavailable("SyncFailed") from None

    def _start(self) -> _Open:
        if time.monotonic() < self._not_before:
            raise LogUnavailable("Recovering")
        number = self._next.segment
        path = self._directory / f"{number:012}.seg"
        writer = SegmentWriter(
            kek=self._kek,
            loop_uid=self._uid,
            pod=self._pod,
            number=number,
            position=(self._next.event, self._next.bad_row),
        )
        self._next = Position(number + 1, self._next.event, self._next.bad_row)
        try:
            fd = self._create(path, writer.header)
        except OSError as error:
            self._not_before = time.monotonic() + RETRY_SECONDS
            path.unlink(missing_ok=True)
            raise LogUnavailable("DiskFull" if error.errno in (28, 122) else "WriteFailed") from None
        self._open = _Open(number, path, fd, writer, len(writer.header), self._next)
        return self._open

    def _create(self, path: Path, header: bytes) -> int:
        fd = self._disk.open_new(path)
        try:
            write_all(fd, header, self._disk)
            self._disk.sync(fd)
            self._disk.sync_directory(self._directory)
        except OSError:
            self._disk.close(fd)
            raise
        return fd

    def _abandon(self) -> None:
        """Gives the open segment up: what was committed of it is handed on."""
        self._not_before = time.monotonic() + RETRY_SECONDS
        self._seal()

    def _seal(self) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        self._disk.close(segment.fd)
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
