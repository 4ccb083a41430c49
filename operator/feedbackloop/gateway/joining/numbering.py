"""Where the log of a fresh volume goes on: after the last numbers that a pod of this name has uploaded.

Without it a pod whose volume was lost would number from 1 again, and its first upload would meet an object of the
same key with other records in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from feedbackloop.events import floors, store
from feedbackloop.events.floors import Floor
from feedbackloop.events.ledger.reading import FOLDER
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import FeedbackRecord, Record
from feedbackloop.events.store import StoredSegment
from feedbackloop.gateway.checkpoint import Uploaded


@dataclass(frozen=True)
class Stored:
    """A pod's segments in object storage, by stream."""

    events: tuple[StoredSegment, ...]
    bad_rows: tuple[StoredSegment, ...]
    floor: Floor = field(default_factory=Floor)
    """Of the events: everything may have expired."""
    bad_row_floor: Floor = field(default_factory=Floor)

    @property
    def last_event(self) -> int:
        return max(self.events[-1].last if self.events else 0, self.floor.first - 1)

    @property
    def last_bad_row(self) -> int:
        return max(self.bad_rows[-1].last if self.bad_rows else 0, self.bad_row_floor.first - 1)


def stored(objects: ObjectClient, prefix: str, pod: str) -> Stored:
    """What a pod of this name has uploaded. Blocks. Raises StorageUnavailable."""
    return Stored(
        tuple(store.segments(objects, prefix, store.EVENTS, pod)),
        tuple(store.segments(objects, prefix, store.BAD_ROWS, pod)),
        floors.read(objects, prefix, store.EVENTS, pod),
        floors.read(objects, prefix, store.BAD_ROWS, pod),
    )


def declared_trainable(objects: ObjectClient, found: Stored) -> int | None:
    """The trainable signals up to the last event as the newest object declares them; None: an older version wrote it.

    Blocks. Raises StorageUnavailable."""
    if not found.events or found.events[-1].last < found.floor.first:
        return found.floor.trainable
    text = objects.head(found.events[-1].key).metadata.get(store.TRAINABLE, "")
    return int(text) if text.isdigit() else None


def counted_trainable(records: Iterable[Record]) -> int:
    """The same, counted."""
    return sum(record.trainable for record in records if isinstance(record, FeedbackRecord))


def ledger_entries(objects: ObjectClient, prefix: str, pod: str) -> int:
    """How many of the pod's records went into its ledger, by the name of its newest file. Blocks."""
    names = sorted(key.rpartition("/")[2] for key in objects.list(f"{prefix}{FOLDER}/{pod}/"))
    last = names[-1].partition("-")[2].partition(".")[0] if names else ""
    return int(last) if last.isdigit() else 0


def uploaded(found: Stored, trainable: int) -> Uploaded:
    """How far the pod's log is stored."""
    return Uploaded(events=found.last_event, trainable=trainable, bad_rows=found.last_bad_row)
