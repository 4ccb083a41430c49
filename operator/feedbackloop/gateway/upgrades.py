"""Requests that offer another protocol are served in this one (RFC 9110 §7.8: a server may ignore `Upgrade`).

The parser stops behind the head of such a request and gives no body. Its body, and what follows on the connection, is
read by a second parser, which is told by a head of ours how long the body is.
"""

from __future__ import annotations

from typing import Any

import httptools


class _Resumed:
    """The callbacks of a protocol, without those of the first message's head."""

    def __init__(self, protocol: Any) -> None:
        self._protocol, self._in_head = protocol, True
        self.on_body, self.on_message_complete = protocol.on_body, protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._in_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._in_head:
            self._in_head = False
        else:
            self._protocol.on_headers_complete()


def body_parser(protocol: Any, *, length: int, chunked: bool, keep_alive: bool) -> tuple[Any, bytes]:
    """A parser whose callbacks are the protocol's, and the head that must be fed to it before anything else."""
    framing = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {length}\r\n"
    last = "" if keep_alive else "Connection: close\r\n"
    return httptools.HttpRequestParser(_Resumed(protocol)), f"POST / HTTP/1.1\r\n{framing}{last}\r\n".encode()
