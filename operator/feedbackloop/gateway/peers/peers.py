"""The pods of a loop as one of them sees the others. With one replica there is none, and nothing here runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from feedbackloop.api.gateway import GatewayConfig
from feedbackloop.events.records import InteractionRecord
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.meta import Served
from feedbackloop.gateway.peers import records
from feedbackloop.gateway.peers.client import PeerAway, PeerClient
from feedbackloop.gateway.peers.ownership import addresses, owner, owner_key
from feedbackloop.gateway.peers.seal import PeerSeal


class Peers:
    """Who owns what, and handing it over."""

    def __init__(self, seal: PeerSeal, own: int, journal: Journal, metrics: Counter[str]) -> None:
        self.own = own
        self._client, self._journal, self._metrics = PeerClient(seal), journal, metrics
        self._owners = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def any(self) -> bool:
        """Whether a session may belong to another pod."""
        return self._owners > 1 or self._owners > 0 < self.own

    def configure(self, config: GatewayConfig) -> None:
        """Takes over how many pods own sessions, and where they are; without addresses this pod owns everything.

        A pod above that number, which was just added, owns nothing yet: it hands on everything.
        """
        found = addresses(config.peers, config.collection.replicas)
        self._owners = len(found) if len(found) == config.collection.replicas else 0
        self._client.configure(found)

    def owner_of(self, session: str, subject: str) -> int | None:
        """The other pod that owns this session, None when this one does."""
        if not self.any:
            return None
        found = owner(owner_key(session, subject), self._owners)
        return None if found == self.own else found

    async def ask(self, ordinal: int, what: str, message: bytes) -> bytes:
        """Raises PeerAway."""
        return await self._client.ask(ordinal, what, message)

    async def keep(self, record: InteractionRecord) -> None:
        """Returns when a proxied interaction is durable, at its owner if possible. Raises LogUnavailable."""
        found = self.owner_of(record.session, record.subject)
        if found is None:
            await self._journal.submit([record])
            return
        try:
            await self.ask(found, records.WHAT, records.handover(records=(records.elsewhere(record),)))
        except PeerAway:
            self._metrics["records_kept_for_peers"] += 1
            await self._journal.submit([records.uncounted(record)])
            return
        if record.serving is not None:
            self._journal.note(Served(self._journal.now_ms(), record.serving))

    def tell(self, served: Served) -> None:
        """Lets the owner know that the session counts no more: nobody waits for it, a pod that is away never hears."""
        found = self.owner_of(served.session, "") if served.session and served.serving.uncounted else None
        if found is not None:
            message = records.handover(served=(records.dropped(served),))
            self.spawn(self._told(found, message))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs work that nobody awaits; its task is kept until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _told(self, ordinal: int, message: bytes) -> None:
        try:
            await self.ask(ordinal, records.WHAT, message)
        except PeerAway:
            self._metrics["drops_not_told_to_peers"] += 1

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._client.close()
