"""The little of a web framework that the gateway needs: bodies with limits, answers, headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

import msgspec

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

_encode = msgspec.json.Encoder().encode
JSON = (b"content-type", b"application/json")


class TooLarge(Exception):  # noqa: N818
    """A body above its limit."""


class Disconnected(Exception):  # noqa: N818
    """The client went away before its body was whole."""


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    body: bytes = b""
    headers: Headers = (JSON,)

    @cached_property
    def wire(self) -> bytes:
        """Its bytes as HTTP/1.1, on a connection that is kept."""
        return self._start + b"\r\n" + self.body

    @cached_property
    def last_wire(self) -> bytes:
        """Its bytes as HTTP/1.1, the last on its connection."""
        return self._start + b"connection: close\r\n\r\n" + self.body

    @property
    def _start(self) -> bytes:
        line = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        fields = [name + b": " + value + b"\r\n" for name, value in self.headers]
        return b"".join((line, *fields, b"content-length: %d\r\n" % len(self.body)))


def answer(status: int, content: object, *, headers: Headers = ()) -> Answer:
    """A JSON answer."""
    return Answer(status, _encode(content), (JSON, *headers))


def problem(status: int, code: str, message: str, *, path: str = "$", retry_after: int | None = None) -> Answer:
    """`{"error": {"code", "path", "message"}}`; the message is one of ours, never of the input."""
    headers = ((b"retry-after", str(retry_after).encode()),) if retry_after is not None else ()
    return answer(status, {"error": {"code": code, "path": path, "message": message}}, headers=headers)


async def send_answer(send: Send, reply: Answer) -> None:
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of a (lower-case) name, empty without one."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for key, value in headers:
        if key == name:
            return value
    return b""


def text_header(scope: Scope, name: bytes) -> str:
    """A header as text: UTF-8, or Latin-1 where it is not."""
    value = header(scope, name)
    try:
        return value.decode().strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()


def bearer(scope: Scope) -> bytes:
    """The bearer token of a request (RFC 6750), empty without one."""
    value = header(scope, b"authorization")
    return value[7:].strip() if value[:7].lower() == b"bearer " else b""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises TooLarge, by the declared length before anything is read, and Disconnected."""
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
    if message["type"] != "http.request":
        raise Disconnected
    if len(body) > limit:
        raise TooLarge
    return body
