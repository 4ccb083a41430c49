"""Protocol and parsing: framing that two parsers could read differently, and requests without measure."""

# ruff: noqa: E501 - the lists are tables
from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from tests.gateway.process import APP_TOKEN
from tests.hostile import sockets
from tests.hostile.case import Case
from tests.hostile.world import World

HEAD = b"POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer @TOKEN@\r\n"
GOOD = HEAD + b"Content-Length: @LENGTH@\r\n\r\n@EVENT@"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def wire(*pieces: bytes, sentinel: bool = True, port: str = "feedback") -> Callable[[World], Any]:
    """Sends bytes; what comes back is the answers' statuses and how many events were taken in."""

    def act(world: World) -> Any:
        before, filled = 0, [world.fill(piece) for piece in pieces]
        before = world.accepted()
        answers = sockets.exchange(getattr(world.gateway, port), *filled, sentinel=sentinel)
        return [answer.status for answer in answers], world.accepted() - before

    return act


def chunks(*lines: bytes) -> bytes:
    return CHUNKED + b"".join(line + b"\r\n" for line in lines)


def one_chunk(size: bytes) -> bytes:
    """A chunked request whose one chunk announces its size so."""
    return chunks(size, b"@EVENT@", b"0", b"")


REFUSED: Any = ([400], 0)
TAKEN: Any = ([202], 1)


def many_behind_one(world: World) -> Any:
    """A good event, and behind it in the same segment thousands of requests that are answered at once."""
    requests = world.fill(GOOD) + b"GET / HTTP/1.1\r\n\r\n" * 5000
    statuses = {answer.status for answer in sockets.exchange(world.gateway.feedback, requests)}
    return statuses <= {202, 404, 503} and 202 in statuses


def good_pipeline(world: World) -> Any:
    return [a.status for a in sockets.exchange(world.gateway.feedback, b"".join(world.fill(GOOD) for _ in range(30)))]


def slow_sockets(world: World) -> Any:
    """Three hundred connections that stop somewhere; good events beside them."""
    whole = world.fill(GOOD)
    clients = [sockets.connect(world.gateway.feedback) for _ in range(300)]
    try:
        for index, client in enumerate(clients):
            sockets.send(client, whole[: index % len(whole)])
        return [world.post(world.event()).status for _ in range(10)]
    finally:
        for client in clients:
            client.close()


def held_bodies(world: World) -> Any:
    """Sixty connections that each send four megabytes of a batch and not its end."""
    head = world.fill(HEAD.replace(b"/v1/feedback", b"/v1/feedback:batch") + b"Content-Length: 4194304\r\n\r\n")
    clients = [sockets.connect(world.gateway.feedback, 5) for _ in range(60)]
    try:
        for client in clients:
            sockets.send(client, head + b"x" * (4_194_304 - 1))
        return world.post(world.event()).status, world.peak_mib() <= 192
    finally:
        for client in clients:
            client.close()


def endless(world: World, piece: bytes, *start: bytes, port: str = "feedback") -> bool:
    """Whether the server cuts off a client that never stops."""
    with sockets.connect(getattr(world.gateway, port), 5) as client:
        for part in start:
            sockets.send(client, world.fill(part))
        for _ in range(2000):
            if not sockets.send(client, piece):
                return True
    return False


def half_closed(world: World) -> Any:
    """The client closes its side after the request; the answer still comes."""
    with sockets.connect(world.gateway.feedback) as client:
        sockets.send(client, world.fill(GOOD))
        client.shutdown(socket.SHUT_WR)
        return [answer.status for answer in sockets.read(client)]


def app_without_token(world: World) -> Any:
    """Ten megabytes to the app port without its token."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n"
    with sockets.connect(world.gateway.app, 5) as client:
        sockets.send(client, head)
        return [answer.status for answer in sockets.read(client, 1)]


def app(body: bytes, *lines: bytes) -> bytes:
    """A request to the app port."""
    head = [b"POST /v1/chat/completions HTTP/1.1", b"Host: x", b"Authorization: Bearer " + APP_TOKEN.encode(), *lines]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", b""]) + body


CASES = [
    Case("P01", "Content-Length and Transfer-Encoding together", "400, nothing taken in",
         wire(HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED), REFUSED),
    Case("P02", "Transfer-Encoding before Content-Length", "400, nothing taken in",
         wire(HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED), REFUSED),
    Case("P03", "two Content-Length headers that differ", "400, nothing taken in",
         wire(HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + SMUGGLED), REFUSED),
    Case("P04", "two equal Content-Length headers", "400, nothing taken in",
         wire(HEAD + b"Content-Length: @LENGTH@\r\nContent-Length: @LENGTH@\r\n\r\n@EVENT@"), REFUSED),
    Case("P05", "Content-Length with a sign", "400, nothing taken in",
         wire(HEAD + b"Content-Length: +5\r\n\r\n12345"), REFUSED),
    Case("P06", "Content-Length in hexadecimal", "400, nothing taken in",
         wire(HEAD + b"Content-Length: 0x5\r\n\r\n12345"), REFUSED),
    Case("P07", "Content-Length as a list", "400, nothing taken in",
         wire(HEAD + b"Content-Length: 5, 5\r\n\r\n12345"), REFUSED),
    Case("P08", "Content-Length beyond 64 bits", "400 or 413, nothing taken in",
         wire(HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n"), [REFUSED, ([413], 0)], any_of=True),
    Case("P09", "a header folded over two lines (obs-fold) that hides a Transfer-Encoding", "400, nothing taken in",
         wire(HEAD + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED),
         [REFUSED, ([400, 404], 0)], any_of=True),
    Case("P10", "lines that end with a bare LF", "400, nothing taken in",
         wire(b"POST /v1/feedback HTTP/1.1\nHost: x\nContent-Length: 0\n\n" + SMUGGLED, sentinel=False), REFUSED),
    Case("P11", "a bare CR inside a header", "400, nothing taken in",
         wire(HEAD + b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"), REFUSED),
    Case("P12", "a space before the colon of a header", "400, nothing taken in",
         wire(HEAD + b"Content-Length : 5\r\n\r\n12345"), REFUSED),
    Case("P13", "NUL in a header's value", "400, nothing taken in",
         wire(HEAD + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n"), REFUSED),
    Case("P14", "a control character in a header's name", "400, nothing taken in",
         wire(HEAD + b"X-\x01: a\r\nContent-Length: 0\r\n\r\n"), REFUSED),
    Case("P15", "Transfer-Encoding: gzip, chunked", "400 for what is no JSON, nothing smuggled in",
         wire(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"),
         [REFUSED, ([422], 1)], any_of=True),
    Case("P16", "Transfer-Encoding whose last coding is not chunked", "400, nothing taken in",
         wire(HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED), REFUSED),
    Case("P17", "Transfer-Encoding: xchunked", "400, nothing taken in",
         wire(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED), REFUSED),
    Case("P18", "a chunk size of 17 hex digits", "400, nothing taken in", wire(one_chunk(b"F" * 17)), REFUSED),
    Case("P19", "a negative chunk size", "400, nothing taken in", wire(one_chunk(b"-5")), REFUSED),
    Case("P20", "a chunk size with 0x", "400, nothing taken in", wire(one_chunk(b"0x5")), REFUSED),
    Case("P21", "chunk data longer than its size", "400, nothing taken in",
         wire(chunks(b"2", b"{}{}{}", b"0", b"")), REFUSED),
    Case("P22", "chunks that end with a bare LF", "400, nothing taken in",
         wire(CHUNKED + b"2\n{}\n0\n\n" + SMUGGLED, sentinel=False), REFUSED),
    Case("P23", "64 KiB of chunk extension", "the event is taken, or the connection refused; memory stays",
         wire(chunks(b"2;x=" + b"y" * 65536, b"{}", b"0", b"")), [([422], 1), REFUSED, ([413], 0)], any_of=True),
    Case("P24", "trailers that name another token and another length", "they change nothing",
         wire(chunks(b"2", b"{}", b"0", b"Authorization: Bearer x", b"Content-Length: 99", b"")),
         [([422], 1), REFUSED], any_of=True),
    Case("P25", "trailers without end", "the connection is cut off",
         lambda world: endless(world, b"X-A: " + b"y" * 65000 + b"\r\n", CHUNKED + b"0\r\n"), True),
    Case("P26", "a chunked body without end", "the connection is cut off",
         lambda world: endless(world, b"10000\r\n" + b" " * 65536 + b"\r\n", CHUNKED), True),
    Case("P27", "a declared body of 10 MB", "413 before it is sent, nothing taken in",
         wire(HEAD + b"Content-Length: 10485760\r\n\r\n", sentinel=False), ([413], 0)),
    Case("P28", "one header of 200 KB", "431, nothing taken in",
         wire(HEAD + b"X-A: " + b"y" * 204800 + b"\r\n\r\n"), ([431], 0)),
    Case("P29", "ten thousand headers", "431, nothing taken in", wire(HEAD + b"X-A: y\r\n" * 10_000 + b"\r\n"), ([431], 0)),
    Case("P30", "a target of 64 KB", "431, nothing taken in",
         wire(b"POST /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: x\r\n\r\n"), ([431], 0)),
    Case("P31", "a target in absolute form that names another host", "404: nobody is called",
         wire(b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\n\r\n"), ([404], 0)),
    Case("P32", "CONNECT to another host", "refused",
         wire(b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n", sentinel=False),
         [([400], 0), ([404], 0), ([405], 0)], any_of=True),
    Case("P33", "a path with dots and with percent-encoded dots", "404",
         wire(b"GET /v1/../status HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/%2e%2e/status HTTP/1.1\r\nHost: x\r\n\r\n"),
         ([404, 404], 0)),
    Case("P34", "a POST hidden in the body of a request that has another method", "one answer: the body stays a body",
         wire(b"PUT /v1/feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n" + SMUGGLED[:36].ljust(36)),
         ([405], 0)),
    Case("P35", "an offer to upgrade to h2c, with a good event", "served in HTTP/1.1",
         wire(HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n"
              b"Content-Length: @LENGTH@\r\n\r\n@EVENT@"), ([202], 1)),
    Case("P36", "the preface of HTTP/2", "400", wire(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", sentinel=False), REFUSED),
    Case("P37", "a TLS hello", "400", wire(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", sentinel=False), REFUSED),
    Case("P38", "HTTP/0.9 and a version that does not exist", "400",
         wire(b"POST /v1/feedback HTTP/9.9\r\n\r\n", sentinel=False), REFUSED),
    Case("P39", "5,000 requests at once behind an event that is being written",
         "the event is taken; the rest is answered or refused, and the server goes on", many_behind_one, True),
    Case("P40", "thirty pipelined events", "thirty answers 202", good_pipeline, [202] * 30),
    Case("P41", "300 connections that stop in the middle of a request", "good events beside them are taken",
         slow_sockets, [202] * 10),
    Case("P42", "sixty batches of 4 MiB that never end", "they share a bound; others are served", held_bodies, (202, True)),
    Case("P43", "a client that closes its side after the request", "its answer comes", half_closed, [202]),
    Case("P44", "Expect: 100-continue with a wrong token", "401 instead of an invitation",
         wire(b"POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer @CANARY@\r\nExpect: 100-continue\r\n"
              b"Content-Length: 5\r\n\r\n", sentinel=False), ([401], 0)),
    Case("P45", "10 MB for the app port, without its token", "401 or 413 before it is read", app_without_token,
         [[401], [413]], any_of=True),
    Case("P46", "one header of 200 KB for the app port", "refused, not kept",
         wire(app(b"{}", b"X-A: " + b"y" * 204800), port="app"), ([431], 0)),
    Case("P47", "Content-Length and Transfer-Encoding together on the app port", "400, nothing taken in",
         wire(b"POST /v1/interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"0\r\n\r\n" + SMUGGLED, port="app", sentinel=False), REFUSED),
    Case("P48", "a session header with control characters for the model", "400, and the model sees nothing",
         wire(app(b'{"messages":[]}', b"X-Session-Id: a\x00b"), port="app", sentinel=False), REFUSED),
]  # fmt: skip
