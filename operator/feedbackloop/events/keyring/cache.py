"""What a process keeps of the subject keys: bounded, for five minutes, and nothing across a change of generation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feedbackloop.events.keyring.shards import Shard
from feedbackloop.events.keyring.table import Row, shard_of

if TYPE_CHECKING:
    from feedbackloop.events.keyring.subjects import SubjectKey

TTL_SECONDS = 300.0
MOST_ROWS = 50_000
"""Wrapped rows and opened keys together; about 1 KiB each with their objects."""


@dataclass
class _Kept:
    shard: Shard
    until: float
    opened: dict[Row, SubjectKey] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        return len(self.shard.table.rows) + len(self.opened)


class Cache:
    """Tables by shard, each with the keys of it that were opened."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._kept, self._weight = clock, dict[str, _Kept](), 0
        self._lock = threading.Lock()

    def shard(self, shard: str) -> Shard | None:
        """The table, unless it is too old."""
        kept = self._live(shard)
        return kept.shard if kept else None

    def key(self, row: Row) -> SubjectKey | None:
        """An opened key, unless its table is too old."""
        kept = self._live(shard_of(row[0]))
        return kept.opened.get(row) if kept else None

    def put(self, shard: str, found: Shard) -> None:
        """A table as it is in storage now. Opened keys stay only when nothing was destroyed in it."""
        with self._lock:
            before = self._kept.get(shard)
            if before is not None and before.shard is found:
                return  # what was kept is no younger for being used
            self._drop(shard)
            same = before is not None and before.shard.table.generation == found.table.generation
            kept = _Kept(found, self._clock() + TTL_SECONDS, before.opened if same and before else {})
            self._kept[shard] = kept
            self._weight += kept.weight
            while self._weight > MOST_ROWS and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def keep(self, shard: str, row: Row, key: SubjectKey | None) -> None:
        """An opened key of a table that was just put."""
        with self._lock:
            kept = self._kept.get(shard)
            if kept is not None and key is not None and row not in kept.opened:
                kept.opened[row] = key
                self._weight += 1

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._weight = 0

    def _live(self, shard: str) -> _Kept | None:
        kept = self._kept.get(shard)
        return kept if kept is not None and self._clock() < kept.until else None

    def _drop(self, shard: str) -> None:
        if (gone := self._kept.pop(shard, None)) is not None:
            self._weight -= gone.weight
