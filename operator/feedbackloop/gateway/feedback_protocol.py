"""HTTP/1.1 for the feedback port: uvicorn serves this protocol class in place of its own.

An ASGI cycle (a task, an event and three messages for each request) costs more than taking an event does,
so this port is answered by callbacks: a request is parsed by httptools, handed to the `FeedbackPort`, and its
answer written when the commit is done. It also has what uvicorn lacks: a bound on headers, refusal by token and
length before a body is read, and deadlines for slow requests and idle connections.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, cast

import httptools

from feedbackloop.events.tokens import Claims
from feedbackloop.gateway import failpoints
from feedbackloop.gateway.asgi import Answer, problem
from feedbackloop.gateway.bounds import (
    BAD_REQUEST,
    CHECK_SECONDS,
    HEADERS_TOO_LARGE,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_HEADERS,
    REQUEST_SECONDS,
    TOO_MANY_CONNECTIONS,
    content_length,
)
from feedbackloop.gateway.browser import CONSENT, HEADERS, LINES, PLAIN, How, extended
from feedbackloop.gateway.feedback_port import (
    BATCH_PATH,
    CONSENT_PATH,
    MAX_BATCH,
    MAX_BODY,
    PRIVACY_PATH,
    FeedbackPort,
    too_large,
)
from feedbackloop.gateway.upgrades import body_parser

FREE_BODY, MAX_HELD = 16 << 10, 16 << 20
"""Bytes of a body that every connection may hold, and of what is held above that by all of them."""
LINGER_BYTES = 1 << 20
MOST_WAITING = 64
"""Pipelined requests of one connection that may wait for their turn."""
MOST_OF_ONE_ADDRESS = 0.75
"""Of all connections: who floods from one address leaves the rest to others, who all may come through one proxy."""
OVER_LIMIT_SECONDS = 0.1
"""Nothing more is read from a connection for so long after its client was told that it is over a rate limit."""

_TOO_MUCH = problem(503, "overloaded", "too many large requests at once", retry_after=1)
_TOO_MANY_WAITING = problem(503, "overloaded", "too many requests at once on one connection", retry_after=1)


_READ = HEADERS | {b"authorization", b"content-length", b"transfer-encoding", b"expect", b"accept"}


class _Refused(Exception):  # noqa: N818
    """Ends the parsing of what else came with a request that was refused."""


class FeedbackProtocol(asyncio.Protocol):
    """One connection. Requests are answered one after the other; pipelined ones wait."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._port: FeedbackPort = config.app
        self._most = config.limit_concurrency
        self._server = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._ready: deque[tuple[Claims | Answer, bytes, bool, How]] = deque()
        self._busy, self._closing, self._discarded, self._held = False, False, 0, 0
        self._turn_taken, self._peer = False, ""
        self._stopping, self._final = False, cast(Answer | None, None)
        self._touched = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self) -> None:
        """Before the next request on the connection."""
        self._url, self._token, self._length, self._accept = b"", b"", 0, b""
        self._head_size, self._body_size, self._chunked = 0, 0, False
        self._expects, self._reading = False, False
        self._body: list[bytes] = []
        self._admitted: Claims | Answer = BAD_REQUEST
        self._browser: dict[bytes, bytes] | None = None
        self._how, self._limit = PLAIN, MAX_BODY

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        failpoints.reached("accept")
        self._timer = self._loop.call_later(CHECK_SECONDS, self._check)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        of_peer = self._port.connected[self._peer] = self._port.connected.get(self._peer, 0) + 1
        if len(self._server.connections) > self._most or of_peer > self._most * MOST_OF_ONE_ADDRESS:
            self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._release()
        self._server.connections.discard(self)
        self._port.connected[self._peer] -= 1
        if not self._port.connected[self._peer]:
            del self._port.connected[self._peer]
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            self._discard(len(data))
            return
        self._turn_taken = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._stay(data[offered.args[0] :])
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST)
        if self._ready and not self._closing:
            self._transport.pause_reading()

    def _stay(self, rest: bytes) -> None:
        """Goes on in HTTP/1.1 with a request that offered another protocol."""
        if self._closing or self._parser.get_method() == b"CONNECT":
            self._refuse(BAD_REQUEST)
            return
        keep_alive = bool(self._parser.should_keep_alive())
        self._parser, head = body_parser(self, length=self._length, chunked=self._chunked, keep_alive=keep_alive)
        self.data_received(head + rest)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._ready:
            self._transport.resume_reading()

    def shutdown(self) -> None:
        """The server stops: after the running request, if there is one."""
        if self._busy:
            self._closing = self._stopping = True
        else:
            self._close()

    def eof_received(self) -> bool:
        """The client sends nothing more; what it sent is answered."""
        if self._busy:
            self._closing = True
        return self._busy

    # httptools

    def on_message_begin(self) -> None:
        if self._closing:
            raise _Refused
        self._begin()
        self._reading, self._touched = True, time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_size += len(url)
        if self._head_size > MAX_HEADERS:
            self._refuse(HEADERS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > MAX_HEADERS:
            self._refuse(HEADERS_TOO_LARGE)
        name = name.lower()
        if name not in _READ:
            return
        if name == b"authorization":
            self._token = value[7:].strip() if value[:7].lower() == b"bearer " else b""
        elif name == b"content-length":
            length = content_length(value)
            self._length = MAX_BATCH + 1 if length is None else length
        elif name == b"transfer-encoding":
            self._chunked = True
        elif name == b"expect":
            self._expects = value.lower() == b"100-continue"
        elif name in HEADERS:
            self._browser = (self._browser or {}) | {name: value}
        elif name == b"accept" and self._url.startswith(PRIVACY_PATH):
            self._accept = value

    def on_headers_complete(self) -> None:
        if self._closing:
            return
        path = self._url.partition(b"?")[0]
        if path == BATCH_PATH:
            self._how, self._limit = LINES, MAX_BATCH
        elif path == CONSENT_PATH:
            self._how = CONSENT
        method = self._parser.get_method()
        how = self._port.browser(method, path, self._browser) if self._browser is not None else self._how
        if isinstance(how, How):
            self._how, self._admitted = how, self._port.admit(method, path, self._token)
        else:
            self._admitted = how
        if path == PRIVACY_PATH and method == b"GET":
            self._admitted = self._port.privacy(self._accept)
        if self._length > self._limit:
            self._refuse(too_large())
        elif self._expects:
            self._go_on()

    def _go_on(self) -> None:
        """The client asked whether it should send its body."""
        if isinstance(self._admitted, Answer):
            self._refuse(self._admitted)
        else:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        failpoints.reached("mid-body")
        self._body_size += len(body)
        if self._body_size > self._limit:
            self._refuse(too_large())
        elif not isinstance(self._admitted, Answer):
            self._body.append(body)
            if self._body_size > FREE_BODY:
                self._hold(len(body))

    def _hold(self, count: int) -> None:
        """Large bodies share a bound: many of them at once are shed before they fill the memory."""
        self._held += count
        self._port.held_bytes += count
        if self._port.held_bytes > MAX_HELD:
            self._refuse(_TOO_MUCH)

    def _release(self) -> None:
        self._port.held_bytes -= self._held
        self._held = 0

    def on_message_complete(self) -> None:
        self._reading = False
        if self._closing or self._parser.should_upgrade():
            return  # the parser gives no body to a request that offers an upgrade: it follows
        if len(self._ready) >= MOST_WAITING:
            self._refuse(_TOO_MANY_WAITING)
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._ready.append((self._admitted, body, bool(self._parser.should_keep_alive()), self._how))
        if self._busy:
            return
        if self._turn_taken:
            self._later(0.0)
        else:
            self._turn_taken = True
            self._next()

    # requests and answers

    def _later(self, seconds: float) -> None:
        """The next request in another turn of the loop: a connection takes one a turn, so that others get theirs."""
        self._busy = True
        if seconds:
            self._loop.call_later(seconds, self._next_turn)
        else:
            self._loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._busy = False
        if self._ready and not self._stopping:
            self._next()
        elif self._final is not None:
            self._end_with(self._final)
        elif self._closing:
            self._close()
        if not self._ready and not self._transport.is_closing():
            self._transport.resume_reading()

    def _next(self) -> None:
        self._busy = True
        admitted, body, keep_alive, how = self._ready.popleft()
        if isinstance(admitted, Answer):
            self._answer(extended(admitted, how.cors), keep_alive)
        elif how.cors:
            self._port.take(admitted, body, lambda reply: self._answer(extended(reply, how.cors), keep_alive), how)
        else:
            self._port.take(admitted, body, lambda reply: self._answer(reply, keep_alive), how)
        if self._held:
            self._release()

    def _answer(self, reply: Answer, keep_alive: bool) -> None:
        self._busy = False
        self._server.total_requests += 1
        if self._transport.is_closing():
            return
        self._touched = time.monotonic()
        nothing_more = self._closing and not self._ready and self._final is None
        if nothing_more or self._stopping or not keep_alive:
            self._transport.write(reply.last_wire)
            self._close()
            return
        self._transport.write(reply.wire)
        if failpoints.ARMED:
            # In a later turn of the loop: the bytes are sent at the end of this one.
            self._loop.call_later(0.01, failpoints.reached, "answered")
        if reply.status == 429:
            self._transport.pause_reading()
            self._later(OVER_LIMIT_SECONDS)
        elif self._ready:
            self._later(0.0)
        elif self._final is not None:
            self._end_with(self._final)

    def _refuse(self, reply: Answer) -> None:
        """Answers without reading further, after the requests that came before, and closes."""
        if self._closing:
            return
        self._closing = True
        if self._busy:
            self._final = reply
        else:
            self._end_with(reply)

    def _end_with(self, reply: Answer) -> None:
        """The last answer. Not closed at once: bytes on their way would reset the connection before it was read."""
        self._final = None
        self._transport.write(extended(reply, self._how.cors).last_wire)
        self._loop.call_later(LINGER_SECONDS, self._close)

    def _discard(self, count: int) -> None:
        """Bytes after a refusal: a few are read so that the answer arrives, then the connection is cut."""
        self._discarded += count
        if self._discarded > LINGER_BYTES:
            self._transport.abort()

    def _close(self) -> None:
        self._closing = True
        self._transport.close()

    def _check(self) -> None:
        """Closes a connection whose request does not come to an end, or that nobody uses."""
        silent = time.monotonic() - self._touched
        if not self._busy and silent > (REQUEST_SECONDS if self._reading else IDLE_SECONDS):
            self._close()
        else:
            self._timer = self._loop.call_later(CHECK_SECONDS, self._check)
