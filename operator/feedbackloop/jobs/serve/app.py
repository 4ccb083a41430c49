"""The ASGI application: routes, streaming, and what is answered when something is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from feedbackloop.jobs.generation import Generator, Request
from feedbackloop.jobs.serve import protocol
from feedbackloop.jobs.serve.batching import Batcher, BusyError, Ticket

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]
MAX_BODY = 256 * 1024
JSON: Header = (b"content-type", b"application/json")
EVENTS: Header = (b"content-type", b"text/event-stream")


class TooLargeError(Exception):
    """The body is over the limit."""


class App:
    """One model, or none yet."""

    def __init__(self, name: str, generator: Generator | None) -> None:
        self.name, self.generator = name, generator
        self.batcher = Batcher(generator) if generator else None
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if (method, path) == ("POST", "/v1/chat/completions"):
            await self._complete(receive, send)
        elif (method, path) == ("GET", "/v1/models"):
            await respond(send, 200, protocol.models(self.name))
        elif (method, path) == ("GET", "/healthz"):
            await self._health(send)
        else:
            await respond(send, 404, protocol.problem(f"{method} {path} is not served here"))

    async def _health(self, send: Send) -> None:
        if self.draining:
            await respond(send, 503, b'{"status":"draining"}')
        elif self.generator is None:
            await respond(send, 503, b'{"status":"no model"}')
        else:
            await respond(send, 200, b'{"status":"ready"}')

    async def _complete(self, receive: Receive, send: Send) -> None:
        try:
            request, streamed = protocol.parse(await read(receive))
            ticket, changed = self._submit(request, streamed=streamed)
        except TooLargeError:
            await respond(send, 413, protocol.problem(f"the body is over {MAX_BODY} bytes"))
        except ValueError as error:
            await respond(send, 400, protocol.problem(str(error)))
        except BusyError:
            problem = protocol.problem("too many requests wait", "server_error")
            await respond(send, 503, problem, (b"retry-after", b"1"))
        else:
            await self._answer(ticket, changed, receive, send)

    def _submit(self, request: Request, *, streamed: bool) -> tuple[Ticket, asyncio.Event]:
        if self.generator is None or self.batcher is None:
            raise BusyError
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            loop.call_soon_threadsafe(changed.set)

        ticket = Ticket(self.generator.open(request), notify, streamed=streamed)
        self.batcher.submit(ticket)
        return ticket, changed

    async def _answer(self, ticket: Ticket, changed: asyncio.Event, receive: Receive, send: Send) -> None:
        watcher = asyncio.ensure_future(_cancel_when_gone(receive, ticket))
        try:
            await (self._stream if ticket.streamed else self._whole)(ticket, changed, send)
        finally:
            watcher.cancel()

    async def _whole(self, ticket: Ticket, changed: asyncio.Event, send: Send) -> None:
        await changed.wait()
        if ticket.failed:
            await respond(send, 500, protocol.problem("generation failed", "server_error"))
        else:
            reply = protocol.Reply.new(self.name)
            await respond(send, 200, reply.whole(ticket.answer, self._text(ticket)))

    async def _stream(self, ticket: Ticket, changed: asyncio.Event, send: Send) -> None:
        reply = protocol.Reply.new(self.name)
        await send({"type": "http.response.start", "status": 200, "headers": [EVENTS, (b"cache-control", b"no-store")]})
        await _more(send, reply.chunk({"role": "assistant", "content": ""}))
        async for piece in self._pieces(ticket, changed):
            await _more(send, reply.chunk({"content": piece}))
        if not ticket.failed:
            await _more(send, reply.chunk({}, ticket.answer.finish) + protocol.DONE)
        await send({"type": "http.response.body", "body": b""})

    async def _pieces(self, ticket: Ticket, changed: asyncio.Event) -> AsyncIterator[str]:
        """The text as it grows; an unfinished character waits for its remaining bytes."""
        said = ""
        while True:
            await changed.wait()
            changed.clear()
            done, text = ticket.done, self._text(ticket)
            if len(text) > len(said) and (done or not text.endswith("\ufffd")):
                yield text[len(said) :]
                said = text
            if done:
                return

    def _text(self, ticket: Ticket) -> str:
        return self.generator.chat.text(ticket.answer.tokens) if self.generator else ""

    def close(self) -> None:
        """Finish what was accepted."""
        if self.batcher:
            self.batcher.stop()


async def read(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > MAX_BODY:
            raise TooLargeError
        if not message.get("more_body"):
            return b"".join(parts)


async def respond(send: Send, status: int, body: bytes, *headers: Header) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _cancel_when_gone(receive: Receive, ticket: Ticket) -> None:
    """An answer that nobody waits for need not be generated."""
    while (await receive())["type"] != "http.disconnect":
        pass
    ticket.cancelled = True
