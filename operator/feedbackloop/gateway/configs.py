"""Configurations as they come: the first one, and every later one until the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from feedbackloop.gateway.applied import Applied, BadConfig, apply
from feedbackloop.gateway.disk import Disk, replace_file

FIRST_CONFIG_SECONDS = 2.0
SAVED_CONFIG = "config.json"

logger = logging.getLogger(__name__)


class Configs:
    """A queue of configurations, and the last applied one on the volume (it holds nothing private)."""

    def __init__(self, volume: Path) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._saved = volume / SAVED_CONFIG

    async def first(self) -> Applied:
        """The current configuration, or the saved one while nobody answers."""
        while True:
            timeout = FIRST_CONFIG_SECONDS if self._saved.exists() else None
            try:
                raw = await asyncio.wait_for(self.queue.get(), timeout)
            except TimeoutError:
                logger.warning("no configuration yet: starting with the saved one")
                raw = self._saved.read_bytes()
            try:
                return await asyncio.to_thread(apply, raw)
            except BadConfig as error:
                logger.error("%s", error)

    async def follow(
        self, current: Callable[[], Applied], take: Callable[[Applied], Awaitable[None]], metrics: Counter[str]
    ) -> None:
        """Hands on every other configuration, for ever; one that does not fit changes nothing."""
        while True:
            raw = await self.queue.get()
            try:
                if raw != current().raw:
                    # Other entities or patterns take a second to compile: requests go on meanwhile.
                    await take(await asyncio.to_thread(_next, raw, current()))
            except BadConfig as error:
                metrics["configs_refused"] += 1
                logger.error("%s; going on with revision %s", error, current().revision)
            except Exception as error:
                logger.error("configuration not applied: %s", type(error).__name__)

    async def save(self, applied: Applied, disk: Disk) -> None:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(replace_file, self._saved, applied.raw, disk)


def _next(raw: bytes, current: Applied) -> Applied:
    """Raises BadConfig."""
    applied = apply(raw, current)
    if applied.config.loop.uid != current.config.loop.uid:
        raise BadConfig("the configuration is of another loop")
    return applied
