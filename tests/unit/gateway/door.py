"""The gateway's ways in on a real volume, without ports: what goes in, and the entries that came to be."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import msgspec

from feedbackloop.events.codec import Stored
from feedbackloop.events.keys import Kek, LoopKeys
from feedbackloop.events.records import BadRow, FeedbackRecord, InteractionRecord
from feedbackloop.events.tokens import Claims, TokenSealer
from feedbackloop.gateway.applied import Applied, apply
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.ingest import FeedbackIngest, Outcome, Sender
from feedbackloop.gateway.ingest.replay import Replay, replay
from feedbackloop.gateway.interactions import InteractionIngest, Posted
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.meta import Meta
from feedbackloop.gateway.state import State
from feedbackloop.gateway.volume import Volume
from feedbackloop.gateway.wal import LogUnavailable
from tests.gateway.process import make_config

KEK = Kek.of(bytes(range(32)))
SIGNALS = [
    {"name": "helpful", "kind": "Thumbs"},
    {"name": "note", "kind": "Comment"},
    {"name": "fix", "kind": "Correction"},
    {"name": "prefer", "kind": "Preference"},
    {"name": "dwell", "kind": "Dwell"},
    {"name": "seen", "kind": "Exposure"},
    {"name": "again", "kind": "Regenerate"},
    {"name": "goal", "kind": "Conversion"},
    {"name": "true", "kind": "Question", "dimension": "Factuality"},
]


class _Recording(State):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Stored | Meta] = []

    def apply(self, entry: Stored | Meta) -> None:
        self.entries.append(entry)
        super().apply(entry)


_APPLIED: list[Applied] = []


def claims(**changes: Any) -> Claims:
    made = Claims("a" * 32, "5" * 32, ("o-1", "o-2"), started_at=1, consent=True)
    return msgspec.structs.replace(made, **changes)


def event(signal: str = "helpful", value: Any = True, **fields: Any) -> dict[str, Any]:
    """An event with a fresh id about `o-1`, unless its fields say otherwise."""
    about = {} if {"candidates", "level", "output_id"} & set(fields) else {"output_id": "o-1"}
    said = {} if value is None else {"value": value}
    return {"event_id": str(uuid.uuid4()), "signal": signal} | said | about | fields


class Door:
    """A gateway's core with its journal. For one event loop."""

    def __init__(self, root: Path, **collection: Any) -> None:
        self.volume = Volume(root, kek=KEK, loop_uid="uid")
        self.state = _Recording()
        keys = LoopKeys.of(b"s" * 32)
        journal = Journal(
            self.volume, kek=KEK, loop_uid="uid", pod="pod-0", state=self.state, dedupe=Dedupe(keys.dedupe)
        )
        journal.start(1)
        self.config = make_config(s3_url="http://127.0.0.1:1")
        sealer = TokenSealer(key=keys.token, loop_uid="uid")
        self.core = Core(applied=self._applied(collection), journal=journal, keys=keys, sealer=sealer)
        self.feedback, self.interactions = FeedbackIngest(self.core), InteractionIngest(self.core)

    def _applied(self, collection: dict[str, Any]) -> Applied:
        self.config["collection"] |= {"signals": SIGNALS} | collection
        # One redactor for all: compiling its patterns takes longer than a test.
        made = apply(json.dumps(self.config).encode(), next(iter(_APPLIED), None))
        _APPLIED[:] = [made]
        return made

    def configure(self, **collection: Any) -> None:
        self.core.applied = self._applied(collection)

    async def send(self, *events: Any, sender: Sender | None = None, lines: bool = False) -> Outcome:
        """One event as it is, several as a list or as lines."""
        bodies = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in events]
        body = (
            b"\n".join(bodies) if lines else bodies[0] if len(bodies) == 1 else b'{"events":[%s]}' % b",".join(bodies)
        )
        answered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome, error: LogUnavailable | None) -> None:
            answered.set_result(outcome) if error is None else answered.set_exception(error)

        take = self.feedback.take_lines if lines else self.feedback.take
        take(body, sender or Sender(claims()), done)
        return await answered

    async def post(self, **fields: Any) -> Posted:
        """An interaction; fields replace those of a small default."""
        body = {
            "event_id": str(uuid.uuid4()),
            "session_id": "s-1",
            "messages": [{"role": "user", "content": "q"}],
            "outputs": [{"output_id": f"o-{uuid.uuid4()}", "content": "a"}],
        } | fields
        return await self.interactions.take(json.dumps(body).encode())

    async def replay(self) -> Replay:
        """Takes up every bad row that there is."""
        return await replay(self.core, self.bad_rows)

    @property
    def votes(self) -> list[FeedbackRecord]:
        return [entry for entry in self.state.entries if isinstance(entry, FeedbackRecord)]

    @property
    def answers(self) -> list[InteractionRecord]:
        return [entry for entry in self.state.entries if isinstance(entry, InteractionRecord)]

    @property
    def bad_rows(self) -> list[BadRow]:
        return [entry for entry in self.state.entries if isinstance(entry, BadRow)]

    async def close(self) -> None:
        await self.core.journal.close()
        self.volume.close()
