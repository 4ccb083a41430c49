"""Taking what other pods forward: events and interactions of sessions that this pod owns."""

from __future__ import annotations

import msgspec

from feedbackloop.events.incoming import IncomingInteraction
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest import FeedbackIngest
from feedbackloop.gateway.ingest.elsewhere import EVENTS, INTERACTION, Answered, Forwarded, encode, outcome_of
from feedbackloop.gateway.interactions import InteractionIngest
from feedbackloop.gateway.peers import records
from feedbackloop.gateway.peers.port import Handler

_forwarded = msgspec.msgpack.Decoder(Forwarded)
_interaction = msgspec.json.Decoder(IncomingInteraction)


class Intake:
    """The handlers of the peer port."""

    def __init__(self, core: Core) -> None:
        self._events, self._interactions = FeedbackIngest(core), InteractionIngest(core)
        self._records = records.Receiver(core.journal)

    def handlers(self) -> dict[str, Handler]:
        """By what is sent."""
        return {EVENTS: self.events, INTERACTION: self.interaction, records.WHAT: self._records.take}

    async def events(self, message: bytes) -> bytes:
        """What became of them, when everything accepted is durable. Raises LogUnavailable."""
        said = _forwarded.decode(message)
        items = [msgspec.Raw(item) for item in said.items]
        sender, indexes = said.sender(), said.indexes
        return encode(await outcome_of(lambda done: self._events.take_items(items, sender, said.path, done, indexes)))

    async def interaction(self, message: bytes) -> bytes:
        """The answer, or the refusal (its bad row is stored by then). Raises LogUnavailable."""
        said = _forwarded.decode(message)
        event = _interaction.decode(said.items[0])
        try:
            posted = await self._interactions.take_event(event, sender=said.sender())
        except Refusal as refusal:
            return encode(Answered(code=refusal.code, path=refusal.path))
        return encode(Answered(posted=msgspec.Raw(encode(posted))))
