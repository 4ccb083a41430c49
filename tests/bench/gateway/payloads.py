"""The requests of the benchmarks as bytes, and the ids that they carry."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

TEXT = (
    "The answer about the refund window is not right. It says fourteen days, but since the spring the shop gives "
    "thirty days for everything that was bought online, and the receipt is enough. Please look at the page about "
    "returns again, it has been changed twice, and colleagues of mine got the same old answer this week when they "
    "asked in other words. The rest was fine and quick, thank you very much."
)
BATCH = 50


@dataclass(frozen=True)
class Requests:
    """Requests ready to be sent, and how many events are in them."""

    wires: list[bytes]
    events: int


def _event(text: str) -> bytes:
    return json.dumps({"event_id": str(uuid.uuid4()), "signal": "note", "value": text}).encode()


def post(
    path: str, token: str, body: bytes, *, content_type: str = "application/json", host: str = "127.0.0.1"
) -> bytes:
    """One POST on a kept connection."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def singles(tokens: Sequence[str], count: int, text: str = TEXT) -> Requests:
    """So many POSTs of one comment each (about 600 bytes), every one with an id of its own."""
    wires = [post("/v1/feedback", tokens[index % len(tokens)], _event(text)) for index in range(count)]
    return Requests(wires, count)


def batches(tokens: Sequence[str], count: int, text: str = TEXT) -> Requests:
    """So many events in NDJSON batches of fifty."""
    wires = []
    for index in range(count // BATCH):
        body = b"\n".join(_event(text) for _ in range(BATCH))
        token = tokens[index % len(tokens)]
        wires.append(post("/v1/feedback:batch", token, body, content_type="application/x-ndjson"))
    return Requests(wires, len(wires) * BATCH)
