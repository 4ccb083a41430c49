"""Deadlines of the app port's connections: a request must come to its end, an answer may take its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from feedbackloop.gateway import app_protocol
from feedbackloop.gateway.app_protocol import AppProtocol
from feedbackloop.gateway.asgi import Receive, Scope, Send, answer, read_body, send_answer
from feedbackloop.gateway.servers import Port
from tests.gateway.process import free_port

BODY = b"0123456789"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


class App:
    """Echoes the size of a body, after a wait."""

    seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive, 1 << 20)
        await asyncio.sleep(self.seconds)
        await send_answer(send, answer(200, len(body)))


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[App, int]]:
    for name, seconds in (("REQUEST", 0.5), ("IDLE", 0.5), ("CHECK", 0.05), ("LINGER", 0.05)):
        monkeypatch.setattr(app_protocol, f"{name}_SECONDS", seconds)
    app, number = App(), free_port()
    port = Port(app, host="127.0.0.1", port=number, protocol=AppProtocol)
    await port.start()
    yield app, number
    await port.stop()


async def all_of(number: int, *pieces: bytes) -> bytes:
    """Sends the pieces; everything that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    data = await reader.read()
    writer.close()
    return data


async def test_a_request_without_end_is_told_so_and_closed(served: tuple[App, int]) -> None:
    assert (await all_of(served[1], HEAD[:-2])).startswith(b"HTTP/1.1 408 ")
    assert (await all_of(served[1], HEAD, BODY[:5])) == b""


async def test_a_connection_that_nobody_uses_is_closed(served: tuple[App, int]) -> None:
    assert await all_of(served[1]) == b""
    assert (await all_of(served[1], HEAD + BODY)).endswith(b"10")


async def test_an_answer_may_take_longer_than_a_request(served: tuple[App, int]) -> None:
    served[0].seconds = 1.5
    assert (await all_of(served[1], HEAD + BODY)).endswith(b"10")
