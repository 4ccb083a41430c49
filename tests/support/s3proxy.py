"""A TCP and HTTP proxy before an S3 service that fails on demand, as real ones do.

    with S3Proxy(s3.url) as proxy:
        proxy.fault = refused(503, "SlowDown", share=0.3)

A fault sees each exchange when its head has come and either handles it (and says so) or lets it pass. The `Host`
header is passed on as it came, so that signatures hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

Fault = Callable[["Exchange"], Awaitable[bool]]


@dataclass
class Exchange:
    """One request on a connection."""

    method: str
    path: str
    fields: dict[str, str]
    """By lower-case name."""
    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    upstream: tuple[str, int]
    body: bytes = b""

    async def read_body(self, share: float = 1.0) -> None:
        """Reads the body, or the first part of it."""
        length = int(self.fields.get("content-length", "0"))
        if length and self.fields.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.body = await self.reader.readexactly(int(length * share))

    async def fetch(self) -> bytes:
        """The service's whole answer."""
        reader, writer = await asyncio.open_connection(*self.upstream)
        try:
            writer.write(self.head + self.body)
            return await reader.read()
        finally:
            writer.close()

    def answer(self, status: int, body: bytes = b"", *fields: str) -> None:
        lines = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "content-type: application/xml", *fields]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if self.method == "HEAD" else body))

    def error(self, status: int, code: str) -> None:
        """An S3 error."""
        self.answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>-</Message></Error>".encode())

    def reset(self) -> None:
        """Cuts the connection with RST."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def none(_exchange: Exchange) -> bool:
    """Everything passes."""
    return False


async def away(exchange: Exchange) -> bool:
    """Nobody answers: the connection ends."""
    exchange.reset()
    return True


def slow(seconds: float) -> Fault:
    async def fault(_exchange: Exchange) -> bool:
        await asyncio.sleep(seconds)
        return False

    return fault


def refused(status: int, code: str, *, share: float = 1.0) -> Fault:
    """A share of the requests gets an error."""
    chance = random.Random(1)

    async def fault(exchange: Exchange) -> bool:
        if chance.random() >= share:
            return False
        await exchange.read_body()
        exchange.error(status, code)
        return True

    return fault


async def reset_in_body(exchange: Exchange) -> bool:
    """A PUT is cut in the middle of its body."""
    if exchange.method == "PUT":
        await exchange.read_body(0.5)
        exchange.reset()
    return exchange.method == "PUT"


async def lying(exchange: Exchange) -> bool:
    """A PUT is answered 200 with an error in the body, and nothing is stored."""
    if exchange.method == "PUT":
        await exchange.read_body()
        exchange.error(200, "InternalError")
    return exchange.method == "PUT"


async def lost_answer(exchange: Exchange) -> bool:
    """A PUT is carried out and its answer never comes."""
    if exchange.method == "PUT":
        await exchange.read_body()
        await exchange.fetch()
        exchange.reset()
    return exchange.method == "PUT"


async def cut_answer(exchange: Exchange) -> bool:
    """Of a GET's answer half comes."""
    if exchange.method == "GET":
        whole = await exchange.fetch()
        exchange.writer.write(whole[: len(whole) // 2])
        await exchange.writer.drain()
        exchange.writer.close()
    return exchange.method == "GET"


class Held:
    """A fault that stops a PUT in the middle of its body until it is let go, and then cuts it."""

    def __init__(self) -> None:
        self.is_holding, self._go_on = threading.Event(), threading.Event()

    def let_go(self) -> None:
        self._go_on.set()

    async def __call__(self, exchange: Exchange) -> bool:
        if exchange.method != "PUT":
            return False
        await exchange.read_body(0.5)
        self.is_holding.set()
        while not self._go_on.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)
        exchange.reset()
        return True


class S3Proxy:
    """The running proxy; `fault` may be set at any time, and `requests` counts by method."""

    def __init__(self, upstream: str) -> None:
        place = urlsplit(upstream)
        self._upstream = (str(place.hostname), int(place.port or 80))
        self.fault: Fault = none
        self.requests: Counter[str] = Counter()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> S3Proxy:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self.port = server.result().sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                await self._exchange(reader, writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        method, path, _ = lines[0].split(" ")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        kept = [line for line in lines if not line.lower().startswith(("expect:", "connection:"))]
        head = "\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1")
        exchange = Exchange(method, path, fields, head, reader, writer, self._upstream)
        self.requests[method] += 1
        if not await self.fault(exchange):
            await exchange.read_body()
            writer.write(await exchange.fetch())
            await writer.drain()
            writer.close()
