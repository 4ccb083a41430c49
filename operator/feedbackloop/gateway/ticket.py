"""A submission to the log, and those who wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from feedbackloop.events.codec import Stored
from feedbackloop.gateway.meta import Meta
from feedbackloop.gateway.wal import LogUnavailable

Key = tuple[int, int]
"""A de-duplication key with the body's fingerprint."""

Then = Callable[[LogUnavailable | None], None]

logger = logging.getLogger(__name__)


class Ticket:
    """A submission on its way: first to the disk, and where that is asked for to object storage."""

    __slots__ = ("_error", "_joined", "ended", "entries", "held", "keys", "then")

    def __init__(self, entries: Sequence[Stored | Meta], keys: Sequence[Key], then: Then | None) -> None:
        self.entries, self.keys, self.then = entries, keys, then
        self.ended = False
        self.held: Callable[[Ticket], None] | None = None
        """Set while it is on the volume and not yet in object storage: to be told of everyone who waits."""
        self._error: LogUnavailable | None = None
        self._joined: list[asyncio.Future[None]] = []

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for it."""
        return self.then is not None or bool(self._joined)

    async def wait(self) -> None:
        """Until it has ended, for any number of waiters, who may come late. Raises LogUnavailable when it failed."""
        if not self.ended:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._joined.append(future)
            if self.held is not None:
                self.held(self)
            await future
        elif self._error is not None:
            raise LogUnavailable(self._error.reason)

    def end(self, error: LogUnavailable | None) -> None:
        """Tells everyone who waits, now or later."""
        self.ended, self._error = True, error
        self._tell(error)

    def give_up(self, error: LogUnavailable) -> None:
        """Tells everyone who waits now; the submission goes on."""
        self._tell(error)

    def _tell(self, error: LogUnavailable | None) -> None:
        then, joined = self.then, self._joined
        if then is not None:
            self.then = None
            try:
                then(error)
            except Exception as failure:
                # One request's trouble must not keep the log from telling the others, or from going on at all.
                logger.error("an answer after a commit failed: %s", type(failure).__name__)
        if joined:
            self._joined = []
            for future in joined:
                if not future.done():
                    future.set_result(None) if error is None else future.set_exception(LogUnavailable(error.reason))
