"""Checkpoint and index files: what of the state outlives the segments it came from.

The checkpoint is the state at a position of the log. The ids and sessions of a segment go into a file
of their own when the segment is deleted, so that a checkpoint stays small however many are remembered.
"""

from __future__ import annotations

from array import array
from pathlib import Path

import msgspec
from msgspec import Struct

from feedbackloop.api.gateway import LogPosition
from feedbackloop.events.ledger.chain import GENESIS
from feedbackloop.gateway.dedupe import IDS_REMEMBERED
from feedbackloop.gateway.state import Snapshot
from feedbackloop.gateway.volume import Volume

CHECKPOINT = "checkpoint"


class LedgerPosition(Struct, frozen=True):
    """The last entry of the pod's ledger in object storage."""

    seq: int = 0
    hash: str = GENESIS


class Uploaded(Struct, frozen=True):
    """How far the log is in object storage, without a gap."""

    events: int = 0
    trainable: int = 0
    bad_rows: int = 0
    ledger: LedgerPosition | None = None
    """None: not known, to be looked up there."""

    def position(self) -> LogPosition:
        return LogPosition(offset=self.events, trainable=self.trainable)


class Checkpoint(Struct):
    """The state after every entry up to a frame of a segment."""

    segment: int
    frame: int
    state: Snapshot
    uploaded: Uploaded


class Index(Struct):
    """The ids (with fingerprints) and sessions of one deleted segment, as flat arrays."""

    ids: bytes
    fingerprints: bytes
    sessions: bytes

    @classmethod
    def of(cls, ids: list[tuple[int, int]], sessions: list[int]) -> Index:
        return cls(
            ids=array("Q", [key for key, _ in ids]).tobytes(),
            fingerprints=array("I", [value for _, value in ids]).tobytes(),
            sessions=array("Q", sessions).tobytes(),
        )

    def pairs(self) -> list[tuple[int, int]]:
        return list(zip(array("Q", self.ids), array("I", self.fingerprints), strict=True))

    def session_keys(self) -> list[int]:
        return list(array("Q", self.sessions))


def save(volume: Volume, checkpoint: Checkpoint) -> None:
    """Replaces the checkpoint atomically. Blocks."""
    volume.write_sealed(volume.root / CHECKPOINT, msgspec.msgpack.encode(checkpoint))


def load(volume: Volume) -> Checkpoint | None:
    """The checkpoint, None on a new volume. Raises EnvelopeError when it was altered."""
    data = volume.read_sealed(volume.root / CHECKPOINT)
    return None if data is None else msgspec.msgpack.decode(data, type=Checkpoint)


def save_index(volume: Volume, number: int, index: Index) -> None:
    """Writes a segment's index file and deletes those that nobody needs any more. Blocks."""
    volume.write_sealed(volume.index / f"{number:012}.ids", msgspec.msgpack.encode(index))
    for path in _surplus(volume):
        path.unlink()


def indexes(volume: Volume) -> list[tuple[int, Path]]:
    """The index files, oldest first."""
    return sorted((int(path.stem), path) for path in volume.index.glob("*.ids"))


def load_index(volume: Volume, path: Path) -> Index:
    data = volume.read_sealed(path)
    assert data is not None
    return msgspec.msgpack.decode(data, type=Index)


def _surplus(volume: Volume) -> list[Path]:
    """Files older than the newest that hold twice as many ids as are remembered (an id takes 12 bytes)."""
    room = 2 * IDS_REMEMBERED * 12
    surplus = []
    for _, path in reversed(indexes(volume)):
        if room <= 0:
            surplus.append(path)
        room -= path.stat().st_size
    return surplus
