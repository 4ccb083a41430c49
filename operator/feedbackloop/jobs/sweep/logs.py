"""A pod's stored log as the sweep sees it: segments in order above a floor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from feedbackloop.events import floors
from feedbackloop.events.floors import Floor
from feedbackloop.events.store import TRAINABLE
from feedbackloop.jobs.storage import translated
from feedbackloop.jobs.sweep.bucket import Bucket
from feedbackloop.jobs.sweep.plan import Group, grouped, numbers, oldest_expired, segment_of


@dataclass(frozen=True)
class Log:
    """One pod's stream; `folder` is `<stream>/<pod>/`."""

    bucket: Bucket
    folder: str
    segments: tuple[Group, ...]
    floor: Floor

    def expired(self, before: datetime) -> list[Group]:
        """The oldest segments that were written before, without a gap."""
        return oldest_expired(self.segments, before, self.floor.first)

    def raise_floor(self, doomed: Iterable[Group]) -> None:
        """Before they are deleted: readers then begin behind them. Never lowers it."""
        ours = [group for group in doomed if group in self.segments]
        last = max((numbers(group.name)[1] for group in ours), default=0)
        if last < self.floor.first:
            return
        newest = max(ours, key=lambda group: numbers(group.name))
        raised = Floor(last + 1, max(self.floor.trainable, self._trainable(newest)))
        self.bucket.store.put(self.folder + floors.NAME, raised.encode())

    def _trainable(self, segment: Group) -> int:
        (key, *_) = sorted(segment.keys)
        with translated("head", key, absent_is_none=True):
            client = self.bucket.store.client
            answer = client.head_object(Bucket=self.bucket.store.bucket, Key=self.bucket.store.prefix + key)
            text = answer.get("Metadata", {}).get(TRAINABLE, "")
            return int(text) if text.isdigit() else 0
        return 0


def logs(bucket: Bucket, stream: str) -> list[Log]:
    """All pods' logs of a stream (`events/`, `badrows/`)."""
    by_pod: dict[str, list[Group]] = {}
    for group in grouped(bucket.versions(stream), lambda key: key if segment_of(key) else ""):
        by_pod.setdefault(group.name.rpartition("/")[0] + "/", []).append(group)
    return [_log(bucket, folder, groups) for folder, groups in sorted(by_pod.items())]


def _log(bucket: Bucket, folder: str, groups: Sequence[Group]) -> Log:
    key = folder + floors.NAME
    data = bucket.store.get(key)
    floor = Floor() if data is None else floors.decode(data, key)
    return Log(bucket, folder, tuple(groups), floor)
