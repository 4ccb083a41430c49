"""Raw HTTP/1.1 over a socket: bytes as they are, answers in order."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Answered 404, or 401 on the app port, and nothing else. What was smuggled in before it would be answered first."""


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def last(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


def connect(port: int, timeout: float = 20.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def send(client: socket.socket, data: bytes) -> bool:
    """Whether all could be sent: a server that refuses cuts a client off that goes on sending."""
    try:
        client.sendall(data)
    except OSError:
        return False
    return True


def read(client: socket.socket, most: int = 1 << 20) -> list[Answer]:
    """Answers until the server says that one is the last, or closes, or there are so many."""
    answers: list[Answer] = []
    data = b""
    while len(answers) < most and not (answers and answers[-1].last):
        found, data = _next(data)
        if found is not None:
            answers.append(found)
            continue
        piece = b""
        with contextlib.suppress(OSError):
            piece = client.recv(1 << 16)
        if not piece:
            break
        data += piece
    return answers


def _next(data: bytes) -> tuple[Answer | None, bytes]:
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None, data
    start, *lines = head.decode("latin-1").split("\r\n")
    status = int(start.split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status == 100:
        return _next(rest)
    if "chunked" in headers.get("transfer-encoding", ""):
        return _chunked(status, headers, rest, data)
    length = int(headers.get("content-length", 0))
    if len(rest) < length:
        return None, data
    return Answer(status, headers, rest[:length]), rest[length:]


def _chunked(status: int, headers: dict[str, str], rest: bytes, data: bytes) -> tuple[Answer | None, bytes]:
    body, left = b"", rest
    while True:
        size, separator, left = left.partition(b"\r\n")
        if not separator or len(left) < int(size, 16) + 2:
            return None, data
        body, left = body + left[: int(size, 16)], left[int(size, 16) + 2 :]
        if int(size, 16) == 0:
            return Answer(status, headers, body), left


def exchange(port: int, *pieces: bytes, sentinel: bool = True) -> list[Answer]:
    """Sends the pieces and then the sentinel on one connection; all answers, without the sentinel's own."""
    with connect(port) as client:
        sent = True
        for piece in (*pieces, *((SENTINEL,) if sentinel else ())):
            sent = send(client, piece) and sent
        if not sentinel:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        answers = read(client)
    if sentinel and sent and answers and answers[-1].status in (401, 404) and answers[-1].last:
        return answers[:-1]
    return answers
