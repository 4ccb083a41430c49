"""Clients that vote as fast as they are answered, never give a vote up, and remember what was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from tests.gateway.process import Gateway

RETRY_SECONDS = 0.02


@dataclass
class Record:
    """What the clients know: bodies by event id, and which ids got a 2xx."""

    sent: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    """By event id, when (monotonic)."""
    statuses: dict[int, int] = field(default_factory=dict)
    duplicates: int = 0
    """Answers that said so: retries of a vote that was stored, unanswered."""

    def answered(self, event_id: str, status: int, body: bytes) -> bool:
        """Takes an answer; whether it was a 2xx."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status != 202:
            return False
        counts = json.loads(body)
        assert counts["accepted"] + counts["duplicate"] == 1, counts
        self.duplicates += counts["duplicate"]
        self.acknowledged[event_id] = time.monotonic()
        return True


class Clients:
    """A thread of asyncio clients on a gateway's feedback port, which may go away and come back at any time."""

    def __init__(self, gateway: Gateway, tokens: list[str], *, connections: int = 8, size: int = 200) -> None:
        self.record = Record()
        self._gateway, self._tokens, self._connections, self._size = gateway, tokens, connections, size
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._work: list[Future[None]] = []

    @contextlib.contextmanager
    def running(self) -> Iterator[Record]:
        """Loads while the block runs, then lets every client bring its last vote in."""
        self._thread.start()
        self._work = [
            asyncio.run_coroutine_threadsafe(self._client(number), self._loop) for number in range(self._connections)
        ]
        try:
            yield self.record
            self._loop.call_soon_threadsafe(self._stop.set)
            for work in self._work:
                work.result(timeout=60)
        finally:
            for work in self._work:
                work.cancel()
            # A turn of the loop later, so that cancelled clients end.
            self._loop.call_soon_threadsafe(self._loop.call_soon, self._loop.stop)
            self._thread.join()

    def acknowledged(self) -> int:
        """How many votes are. Raises what a client died of."""
        for work in self._work:
            if work.done():
                work.result()
        return len(self.record.acknowledged)

    async def _client(self, number: int) -> None:
        chance = random.Random(number)
        token = self._tokens[number % len(self._tokens)]
        connection: Connection | None = None
        while not self._stop.is_set():
            event_id = str(uuid.uuid4())
            text = "".join(chance.choices("abcdefgh ", k=self._size))
            body = json.dumps({"event_id": event_id, "signal": "note", "value": text}).encode()
            self.record.sent[event_id] = body
            connection = await self._deliver(connection, token, event_id, body)
        if connection is not None:
            connection.close()

    async def _deliver(self, connection: Connection | None, token: str, event_id: str, body: bytes) -> Connection:
        """Sends one vote again and again, until it is acknowledged."""
        while True:
            try:
                if connection is None:
                    connection = await Connection.open(self._gateway.feedback)
                status, answer = await connection.post("/v1/feedback", token, body)
                if self.record.answered(event_id, status, answer):
                    return connection
                assert status in (429, 503), (status, answer)
            except (OSError, asyncio.IncompleteReadError):
                if connection is not None:
                    connection.close()
                connection = None
            await asyncio.sleep(RETRY_SECONDS)


class Connection:
    """One HTTP/1.1 connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, token: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        return int(lines[0].split()[1]), await self._reader.readexactly(int(fields["content-length"]))

    def close(self) -> None:
        self._writer.close()


def votes(found: list[Any]) -> list[str]:
    """The event ids of stored feedback, with repetitions."""
    from feedbackloop.events.records import FeedbackRecord

    return [record.event_id for record in found if isinstance(record, FeedbackRecord)]
