"""Waiting for what a start needs: one attempt after the other, each with the newest configuration."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TypeVar

from feedbackloop.events.errors import EnvelopeError, EventsError, KeyRefused, KeyServiceUnavailable, StorageUnavailable
from feedbackloop.gateway.applied import Applied, BadConfig, apply
from feedbackloop.gateway.joining.secret import NotYet

FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.2, 3.0

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Patience:
    """Attempts until one succeeds; `told` gets what is being waited for."""

    def __init__(self, configs: asyncio.Queue[bytes], told: Callable[[str], None]) -> None:
        self._configs, self._told = configs, told

    async def until_done(self, applied: Applied, attempt: Callable[[Applied], T]) -> tuple[Applied, T]:
        """The configuration of the attempt that succeeded, and its result; attempts run in a thread.

        Raises EnvelopeError and KeyRefused at once: another root key does not become the right one by waiting.
        """
        pause, said = FIRST_PAUSE_SECONDS, ""
        while True:
            try:
                return applied, await asyncio.to_thread(attempt, applied)
            except (EnvelopeError, KeyRefused):
                raise
            except (NotYet, EventsError) as error:
                said = self._say(_what(error), said)
            applied = await self._next(applied, pause * random.uniform(0.7, 1.3))
            pause = min(pause * 2, LAST_PAUSE_SECONDS)

    def _say(self, what: str, before: str) -> str:
        self._told(what)
        if what != before:
            logger.warning("waiting: %s", what)
        return what

    async def _next(self, applied: Applied, seconds: float) -> Applied:
        """The newest configuration after the pause, or at once when one comes."""
        try:
            raw = await asyncio.wait_for(self._configs.get(), seconds)
            return applied if raw == applied.raw else apply(raw, applied)
        except TimeoutError:
            return applied
        except BadConfig as error:
            logger.error("%s", error)
            return applied


def _what(error: Exception) -> str:
    if isinstance(error, StorageUnavailable):
        return f"a fresh volume needs object storage once, which fails with {error.reason}"
    if isinstance(error, KeyServiceUnavailable):
        return f"KeyServiceUnavailable: the service of the root key fails with {error.reason}"
    return str(error)
