"""What a controller must look like to be driven by the engine. Controllers implement it, the engine calls it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from feedbackloop.engine.keys import Key


class Reconciler(Protocol):
    """Level-triggered and idempotent: it is told that something may have changed, never what."""

    kind: str
    """The `Key.kind` that this reconciler serves."""

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        """Bring the world closer to what is declared; the seconds until the next look, or None: only on events.

        Raises `UserError` (no retry until an event), `Transient` (retried with backoff, not before its
        `retry_after`); anything else is a bug: counted, logged with its traceback, retried with backoff.
        """
        ...
