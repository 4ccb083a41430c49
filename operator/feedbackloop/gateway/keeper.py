"""The gateway's keys: found at the start, and kept fresh behind the requests, never on their way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from feedbackloop.api.gateway import KeyService, ObjectStore
from feedbackloop.events.errors import EventsError, KeyServiceUnavailable, StorageUnavailable
from feedbackloop.events.keyring import rotation
from feedbackloop.events.keyring.blob import Family
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import open_keyring
from feedbackloop.gateway import failpoints
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.audit import KEY_CREATED, audit
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.settings import Settings

TICK_SECONDS = 30.0
CACHE = "keys"

logger = logging.getLogger(__name__)


class GatewayKeys:
    """The keyring of a gateway; `applied` is replaced when a configuration comes. Raises as `open_keyring`."""

    def __init__(self, settings: Settings, applied: Applied) -> None:
        self.applied = applied
        self.ring = open_keyring(self._where, settings.secrets, applied.config.loop.uid, settings.volume / CACHE)
        self.ring.subjects.shards.before_swap = lambda: failpoints.reached("shard-cas")

    def start(self, applied: Applied) -> Keyring:
        """One attempt. Blocks. Raises StorageUnavailable, KeyServiceUnavailable: try again; KeyRefused."""
        self.applied = applied
        return self.ring.start()

    def _where(self) -> tuple[KeyService, ObjectStore]:
        return self.applied.config.encryption, self.applied.config.storage


class Keeper:
    """Takes up what other pods did to the keys; the pod with ordinal 0 rotates them."""

    def __init__(self, keys: GatewayKeys, journal: Journal, *, lowest: bool) -> None:
        self._keys, self._journal, self._lowest = keys, journal, lowest
        self.error: str | None = None
        """The class of the last error, while the keys cannot be looked after."""
        self._root = ""
        """The root key that the loop's keys were seen to be under."""
        self._inner: list[str] = []
        self._since = time.monotonic()
        self._moved = False
        """Every table was brought under the newest inner key once; the next look at them all is the last."""

    @property
    def _period(self) -> int:
        return self._keys.applied.config.encryption.rotation_period_seconds

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                made = await asyncio.to_thread(self.step)
                self.error = None
                for ident in made:
                    audit(self._journal, KEY_CREATED, key=ident)
            except EventsError as error:
                self._failed(error)
            except Exception as error:
                logger.error("keys: unexpected %s", type(error).__name__)
            # A loop's shortest period is an hour; a test's may be a second.
            await asyncio.sleep(min(TICK_SECONDS, self._period / 10))

    def step(self, now: Callable[[], float] = time.time) -> list[str]:
        """One look at the keys; the ids of those that were made. Blocks."""
        ring = self._keys.ring
        ring.refresh()
        self._look()
        if not self._lowest:
            return []
        if self._root != ring.roots.current.ident:
            rotation.rewrap(ring)
            self._root = ring.roots.current.ident
        made = [self._add(family) for family in rotation.due(ring, self._period, now())]
        self._look()
        settled = time.monotonic() - self._since >= min(rotation.SETTLE_SECONDS, self._period / 4)
        if settled or not self._moved:
            rotation.finish(ring, settled=settled)
            self._moved = True
        return made

    def _add(self, family: Family) -> str:
        ident = self._keys.ring.add(family)
        logger.info("keys/%s is in use from now on", ident)
        return ident

    def _look(self) -> None:
        """Notices other inner keys: what was opened under one of before is forgotten, and the time counts anew."""
        found = [name.ident for name in self._keys.ring.storage.names(Family.INNER)]
        if found != self._inner:
            self._inner, self._since, self._moved = found, time.monotonic(), False
            self._keys.ring.subjects.forget()

    def _failed(self, error: EventsError) -> None:
        reason = type(error).__name__
        if isinstance(error, StorageUnavailable | KeyServiceUnavailable):
            reason = f"{reason}/{error.reason}"
        if reason != self.error:
            logger.warning("the keys cannot be looked after: %s", error)
        self.error = reason
