"""`progress.json`: a sign of life, replaced in the background at least every ten seconds."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from types import TracebackType

from feedbackloop.api.jobs import ProgressFile
from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import JobError
from feedbackloop.jobs.storage import Store

log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Progress:
    """Steps are set by the work, and written by a thread of their own; a lost write is not an error."""

    def __init__(self, store: Store, key: str, run_id: str, attempt: int) -> None:
        self._store, self._key = store, key
        self._file = ProgressFile(run_id=run_id, attempt=attempt)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=EVERY_SECONDS)

    def set(
        self, step: int, total: int = 0, *, loss: float | None = None, remaining_seconds: int | None = None
    ) -> None:
        """Where the work is; it is written at the next beat."""
        changes = {"step": step, "total": total, "loss": loss, "remaining_seconds": remaining_seconds}
        self._file = self._file.model_copy(update=changes)

    def _beat(self) -> None:
        self._write()
        while not self._stop.wait(EVERY_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        body = self._file.model_copy(update={"timestamp": now()}).to_wire()
        try:
            self._store.put(self._key, canonical.encode(body))
        except JobError as error:
            log.warning("progress was not written: %s", error)
