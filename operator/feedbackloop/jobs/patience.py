"""Waiting inside a process for storage that is away, where a new attempt would cost more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from feedbackloop.jobs.errors import Preempted, StorageUnavailable

log = logging.getLogger(__name__)
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 8.0


def patiently(action: Callable[[], object], stop: threading.Event, *, seconds: float = 60.0) -> None:
    """Repeat while storage or MLflow is away, at most so long, and say so; `stop` ends the waiting."""
    deadline, delay = time.monotonic() + seconds, FIRST_SECONDS
    while True:
        try:
            action()
        except StorageUnavailable as error:
            if time.monotonic() + delay > deadline:
                raise
            log.warning("%s; again in %g s", error, delay)
        else:
            return
        if stop.wait(delay):
            raise Preempted("SIGTERM while waiting for storage")
        delay = min(delay * 2, LONGEST_SECONDS)
