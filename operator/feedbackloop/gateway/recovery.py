"""Reading segments back: after a crash to rebuild the state, and before an upload.

A bad end of the newest segment is a torn write: it was never acknowledged and is cut off. A bad frame
anywhere else is damage: the file is copied to quarantine, what can still be read is read, and every
number that is missing is filled by a `LostRecord`, so that the stored log has no gaps and says so.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedbackloop.events import codec
from feedbackloop.events.errors import FrameError
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import BadRow, LostRecord
from feedbackloop.events.segment import Frame, Header, Kind, SegmentReader
from feedbackloop.gateway import failpoints
from feedbackloop.gateway.wal import Sealed

logger = logging.getLogger(__name__)

_HEADER_BYTES = 4096
_LOST = codec.encode(LostRecord())
_LOST_ROW = codec.encode(BadRow(bad_row_id="", received_at=0, code="lost", path="$", raw=""))


class Entry(NamedTuple):
    """An entry with its place; `frame` is -1 for one that stands for a lost record."""

    frame: int
    kind: int
    data: bytes


@dataclass
class Contents:
    """A segment's entries, numbered ones without gaps from the segment's first to its end."""

    header: Header
    entries: list[Entry] = field(default_factory=list)
    good_length: int = 0
    damaged: bool = False
    next_event: int = 0
    next_bad_row: int = 0

    def of_kind(self, kind: Kind) -> list[bytes]:
        return [entry.data for entry in self.entries if entry.kind == kind]


def read_segment(data: bytes, *, kek: Kek, end: tuple[int, int] | None = None) -> Contents:
    """The contents of one segment. With `end` (next event, next bad row) it was sealed there: numbers
    from it on are not in the log, missing ones below it are lost. Raises FrameError for a bad header."""
    reader = SegmentReader(data, kek=kek)
    contents = Contents(reader.header, good_length=reader.start)
    contents.next_event, contents.next_bad_row = reader.header.first_event, reader.header.first_bad_row
    for frame in _frames(reader, len(data), contents):
        _take(contents, frame, end)
    if end is not None:
        _fill(contents, *end)
    return contents


def _frames(reader: SegmentReader, size: int, contents: Contents) -> Iterator[Frame]:
    at, number = reader.start, 0
    while at < size:
        try:
            frame = reader.frame_at(at, number)
        except FrameError:
            following = reader.skip(at)
            if following is None:
                return
            # A frame after a bad one proves damage; a torn write is always the last. The bad one need not have taken a
            # number of its own: one that stands there twice has not.
            at = following
            continue
        contents.damaged = contents.damaged or contents.good_length != at
        contents.good_length = at = frame.end
        number = frame.number + 1
        yield frame


def _take(contents: Contents, frame: Frame, end: tuple[int, int] | None) -> None:
    kinds = [kind for kind, _ in frame.entries]
    event, bad_row = frame.first_event + kinds.count(Kind.EVENT), frame.first_bad_row + kinds.count(Kind.BAD_ROW)
    if end is not None and (event > end[0] or bad_row > end[1]):
        return  # written, but its sync failed: it was never acknowledged, and its numbers were given out again
    _fill(contents, frame.first_event, frame.first_bad_row)
    contents.entries += [Entry(frame.number, kind, data) for kind, data in frame.entries]
    contents.next_event, contents.next_bad_row = event, bad_row


def _fill(contents: Contents, event: int, bad_row: int) -> None:
    lost = max(0, event - contents.next_event), max(0, bad_row - contents.next_bad_row)
    contents.entries += [Entry(-1, Kind.EVENT, _LOST)] * lost[0] + [Entry(-1, Kind.BAD_ROW, _LOST_ROW)] * lost[1]
    contents.damaged = contents.damaged or any(lost)
    contents.next_event, contents.next_bad_row = max(contents.next_event, event), max(contents.next_bad_row, bad_row)


def numbers(directory: Path) -> list[tuple[int, Path]]:
    """The segments on the volume, oldest first."""
    return sorted((int(path.stem), path) for path in directory.glob("*.seg"))


def recover(directory: Path, quarantine: Path, *, kek: Kek) -> Iterator[tuple[Sealed, Contents]]:
    """Reads every segment, oldest first, and cuts a torn end off the newest."""
    found = numbers(directory)
    headers = [_header(path, kek) for _, path in found]
    for index, (number, path) in enumerate(found):
        following = next((header for header in headers[index + 1 :] if header), None)
        sealed = _recover_one(number, path, quarantine, kek=kek, following=following)
        failpoints.reached("recovery")
        if sealed is not None:
            yield sealed


def _header(path: Path, kek: Kek) -> Header | None:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    try:
        header = SegmentReader(start, kek=kek).header
    except FrameError:
        return None
    return header if header.number == int(path.stem) else None


def _recover_one(
    number: int, path: Path, quarantine: Path, *, kek: Kek, following: Header | None
) -> tuple[Sealed, Contents] | None:
    data = path.read_bytes()
    end = (following.first_event, following.first_bad_row) if following else None
    try:
        contents = read_segment(data, kek=kek, end=end)
    except FrameError:
        # Without a header there is nothing to read. The newest one was torn at its birth: it held nothing.
        _set_aside(path, quarantine) if following else path.unlink()
        return None
    if contents.header.number != number:
        _set_aside(path, quarantine)  # another segment under this name
        return None
    if contents.damaged:
        _copy_aside(path, quarantine)
    if following is None and contents.good_length < len(data):
        _cut(path, contents.good_length)
    return _sealed(number, path, contents), contents


def _sealed(number: int, path: Path, contents: Contents) -> Sealed:
    return Sealed(
        number=number,
        path=path,
        length=path.stat().st_size,
        first_event=contents.header.first_event,
        end_event=contents.next_event,
        first_bad_row=contents.header.first_bad_row,
        end_bad_row=contents.next_bad_row,
    )


def _cut(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)
        os.fsync(file.fileno())


def _copy_aside(path: Path, quarantine: Path) -> None:
    logger.error("log segment %s is damaged; a copy is in quarantine", path.name)
    shutil.copyfile(path, quarantine / path.name)


def _set_aside(path: Path, quarantine: Path) -> None:
    logger.error("log segment %s has no readable header; it is in quarantine", path.name)
    path.replace(quarantine / path.name)
