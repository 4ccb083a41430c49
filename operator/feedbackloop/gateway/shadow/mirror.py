"""Mirrors: the candidate is asked once the user has the live answer, so that nothing here can delay or fail it.

What is in flight is bounded in number and bytes; what comes beyond it is not mirrored, and counted. A shadow's answer
opens no unit, is nobody's traffic, gets no feedback token and is never trained on: all that is kept is the pair.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from dataclasses import dataclass

from feedbackloop.api.gateway import Backend, Routing
from feedbackloop.events.records import Message, ShadowAnswer, ShadowPairRecord
from feedbackloop.gateway.answers import Asked, Shown
from feedbackloop.gateway.consent import effective_of_request
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.meta import Shadowed
from feedbackloop.gateway.shadow import candidate
from feedbackloop.gateway.shadow.choice import comparable, drawn, forbidden
from feedbackloop.gateway.shadow.room import Room
from feedbackloop.gateway.turn import Turn
from feedbackloop.gateway.upstream import Upstream
from feedbackloop.gateway.wal import LogUnavailable

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Mirrored:
    """One request on its way to the candidate."""

    turn: Turn
    body: bytes
    messages: tuple[Message, ...]
    shown: Shown
    consent: bool | None
    backend: Backend
    held: int
    """Bytes that are held for it."""


class Mirror:
    """The shadow side of the proxy. For the event loop's thread."""

    def __init__(self, core: Core, upstream: Upstream) -> None:
        self._core, self._upstream = core, upstream
        self._room = Room()
        self._tasks: set[asyncio.Task[None]] = set()
        self._untold: dict[tuple[str, int], Counter[str]] = {}

    @property
    def in_flight(self) -> int:
        return self._room.requests

    def offer(self, turn: Turn, asked: Asked, shown: Shown) -> None:
        """A user got this answer: mirrors its request if it is drawn, allowed and there is room."""
        routing = self._core.applied.config.routing
        if routing.mirror is None or not self._wanted(routing, turn, asked):
            return
        consent = effective_of_request(self._core, turn.owner.subject, turn.consent)
        held = 2 * len(asked.body) + len(shown.content)  # the body, and its messages as text
        refuses = forbidden(asked, consent, consent_required=self._core.applied.consent_required)
        if refuses or not self._room.enter(held, routing.mirror.max_concurrency):
            self._tell(turn.routing, "skipped")
            return
        self._tell(turn.routing, "mirrored")
        one = Mirrored(turn, asked.body, asked.messages, shown, consent, routing.mirror.backend, held)
        task = asyncio.create_task(self._run(one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wanted(self, routing: Routing, turn: Turn, asked: Asked) -> bool:
        """Not in an epoch that has ended, nor beyond the pairs that are wanted."""
        mirror, now = routing.mirror, (routing.run_uid, routing.epoch)
        if mirror is None or now != (turn.routing.run_uid, turn.routing.epoch) or not comparable(turn):
            return False
        pairs = self._core.journal.state.shadow.pairs(*now) + self._room.requests
        return pairs < mirror.max_pairs and drawn(routing, turn.session, asked.body)

    async def _run(self, one: Mirrored) -> None:
        try:
            if not await self._paired(one):
                self._tell(one.turn.routing, "failed")
        except LogUnavailable:
            self._core.metrics["shadow_pairs_not_stored"] += 1
        except Exception as error:
            # Without the message: it could quote the request.
            logger.error("shadow: %s", type(error).__name__)
            self._tell(one.turn.routing, "failed")
        finally:
            self._room.leave(one.held)

    async def _paired(self, one: Mirrored) -> bool:
        """Whether the candidate answered; then the pair is in the log. Raises LogUnavailable."""
        started = time.monotonic()
        content = await candidate.answer(self._upstream, one.body, lambda size: self._grows(one, size))
        if content is None:
            return False
        latency = int((time.monotonic() - started) * 1000)
        # Nobody waits: a pair that a crash takes away was one of many.
        self._core.journal.post([_pair(self._core, one, content, latency)])
        return True

    def _grows(self, one: Mirrored, size: int) -> bool:
        if not self._room.grow(size):
            return False
        one.held += size
        return True

    def _tell(self, routing: Routing, what: str) -> None:
        self._untold.setdefault((routing.run_uid, routing.epoch), Counter())[what] += 1

    def tick(self) -> None:
        """Puts what became of requests into the log: many in one entry, since under load most are skipped."""
        untold, self._untold = self._untold, {}
        for (run_uid, epoch), counts in untold.items():
            self._core.journal.note(Shadowed(self._core.journal.now_ms(), run_uid, epoch, **counts))

    async def close(self) -> None:
        """Gives up what is in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _pair(core: Core, one: Mirrored, content: str, latency_ms: int) -> ShadowPairRecord:
    """Redacted, like everything that is stored. Raises LogUnavailable when the scanner fails."""
    turn = one.turn
    texts = [text for message in one.messages for text in (message.role, message.content)]
    *clean, stable, shadow = core.redact([*texts, one.shown.content, content])
    return ShadowPairRecord(
        event_id=str(uuid.uuid4()),
        received_at=core.journal.now_ms(),
        subject=turn.owner.subject,
        messages=tuple(map(Message, clean[::2], clean[1::2])),
        stable=ShadowAnswer(stable, turn.routing.stable.digest, one.shown.latency_ms),
        shadow=ShadowAnswer(shadow, one.backend.digest, latency_ms),
        run_uid=turn.routing.run_uid,
        epoch=turn.routing.epoch,
        session=turn.session,
        tenant=turn.owner.tenant,
        consent=one.consent,
    )
