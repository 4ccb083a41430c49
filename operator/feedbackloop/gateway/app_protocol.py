"""HTTP/1.1 for the app port: uvicorn's protocol with the bounds and deadlines that it lacks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
from feedbackloop.gateway.upgrades import body_parser

_TOO_SLOW = problem(408, "too_slow", "the request did not come to its end in time")


class AppProtocol(HttpToolsProtocol):
    """One connection of the app port. An answer may take its time; a request may not."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_size, self._reading, self._refused = 0, False, False
        self._length, self._chunked = 0, False
        self._touched = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._stay(data[offered.args[0] :])
        except httptools.HttpParserError:
            if not self._refused:
                self._refuse(BAD_REQUEST)

    def _stay(self, rest: bytes) -> None:
        """Goes on in HTTP/1.1 with a request that offered another protocol."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse(BAD_REQUEST)
            return
        keep_alive = self.parser.should_keep_alive()
        self.parser, head = body_parser(self, length=self._length, chunked=self._chunked, keep_alive=keep_alive)
        self.data_received(head + rest)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading, self._touched = True, time.monotonic()
        self._head_size, self._length, self._chunked = 0, 0, False

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._grew(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._grew(len(name) + len(value))
        match name.lower():
            case b"content-length":
                self._length = content_length(value) or 0
            case b"transfer-encoding":
                self._chunked = True

    def on_headers_complete(self) -> None:
        if not self._refused and self.parser.get_method() != b"CONNECT":
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._refused or self.parser.should_upgrade():
            return  # the parser gives no body to a request that offers an upgrade: it follows
        self._reading = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._touched = time.monotonic()
        super().on_response_complete()

    def _grew(self, count: int) -> None:
        self._head_size += count
        if self._head_size > MAX_HEADERS and not self._refused:
            self._refuse(HEADERS_TOO_LARGE)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, reply: Answer) -> None:
        """Answers without reading further, unless an answer is under way, and closes a little later: bytes that are
        still coming would reset the connection before the client has read the answer."""
        self._refused = True
        if self._answering:
            self.transport.close()
            return
        self.transport.write(reply.last_wire)
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _check(self) -> None:
        """Ends a connection whose request does not come to an end, or that nobody uses."""
        silent = time.monotonic() - self._touched
        if self._reading and silent > REQUEST_SECONDS and not self._refused:
            self._refuse(_TOO_SLOW)
        elif not self._reading and not self._answering and silent > IDLE_SECONDS:
            self.transport.close()
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check)
