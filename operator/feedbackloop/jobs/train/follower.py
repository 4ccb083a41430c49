"""What the job's process tells others while the training runs, here or in another process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from types import TracebackType

from feedbackloop.jobs.errors import JobError
from feedbackloop.jobs.progress import Progress
from feedbackloop.jobs.tracker import Measure, Tracker
from feedbackloop.jobs.train.live import Live, Point

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
JOIN_SECONDS = 5.0


def measures(points: tuple[Point, ...]) -> Iterator[Measure]:
    """The curve as MLflow wants it."""
    for point in points:
        step, at = int(point["step"]), int(point["at"])
        for name, value in point.items():
            if name not in ("step", "at"):
                yield Measure(f"train.{name}", float(value), at, step)


class Follower:
    """Reads the signs of life into `progress.json` and MLflow. While MLflow is away the curve waits."""

    def __init__(self, live: Live, progress: Progress, tracker: Tracker) -> None:
        self._live, self._progress, self._tracker = live, progress, tracker
        self._sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="follower", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        # Not for as long as a dead MLflow may take: after SIGTERM the pod has little time.
        self._thread.join(timeout=JOIN_SECONDS)

    def look(self) -> None:
        """Tell what is new; StorageUnavailable when MLflow is away, and then the same again next time."""
        sign = self._live.read()
        self._progress.set(sign.step, sign.total, loss=sign.loss, remaining_seconds=sign.remaining_seconds)
        if len(sign.curve) > self._sent:
            self._tracker.measures(measures(sign.curve[self._sent :]))
            self._sent = len(sign.curve)

    def _work(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.look()
            except JobError as error:
                log.warning("the curve waits: %s", error)
