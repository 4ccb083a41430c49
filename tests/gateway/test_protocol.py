"""The feedback port's HTTP over raw sockets: pipelining, odd framing, bounds, and clients that go away."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator

import pytest

from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event, make_config
from tests.gateway.waiting import wait_for
from tests.support.seaweedfs import SeaweedFs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, s3: SeaweedFs, bucket: str) -> Iterator[Gateway]:
    """One gateway for the module."""

    root = tmp_path_factory.mktemp("gateway")
    config = make_config(s3_url=s3.url, bucket=bucket, folder=f"{uuid.uuid4().hex}/")
    gateway = Gateway(root, config, (s3.access_key, s3.secret_key))
    yield gateway.start()
    gateway.kill()


def connect(gateway: Gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.feedback), timeout=10)


def request(token: str, body: bytes, *extra: str) -> bytes:
    lines = ["POST /v1/feedback HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *extra]
    if not any("ransfer-" in line or "ontent-length" in line for line in extra):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def one() -> bytes:
    return json.dumps(event()).encode()


def read_until(connection: socket.socket, count: int) -> bytes:
    """Bytes until so many answers are there, or the connection ends."""
    data = b""
    while data.count(b"HTTP/1.1 ") < count or not data.endswith(b"}"):
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def statuses(data: bytes) -> list[bytes]:
    return [part[:3] for part in data.split(b"HTTP/1.1 ")[1:] if part[:3] != b"100"]


def test_pipelined_requests_are_answered_in_order(served: Gateway) -> None:
    token = served.token()
    with connect(served) as client:
        bad = json.dumps(event("stars", 1)).encode()
        client.sendall(request(token, one()) + request(token, bad) + request("wrong", one()) + request(token, one()))
        assert statuses(read_until(client, 4)) == [b"202", b"422", b"401", b"202"]


def test_a_request_may_come_byte_by_byte(served: Gateway) -> None:
    with connect(served) as client:
        for byte in request(served.token(), one()):
            client.sendall(bytes([byte]))
        assert statuses(read_until(client, 1)) == [b"202"]


def test_a_chunked_body_is_taken(served: Gateway) -> None:
    body = one()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    with connect(served) as client:
        client.sendall(request(served.token(), chunks, "Transfer-Encoding: chunked"))
        assert statuses(read_until(client, 1)) == [b"202"]


def test_a_chunked_body_without_end_is_cut_off(served: Gateway) -> None:
    with connect(served) as client:
        client.sendall(request(served.token(), b"", "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        with pytest.raises(OSError):
            for _ in range(2000):
                client.sendall(chunk)


def test_a_declared_body_above_the_limit_is_refused_before_it_is_sent(served: Gateway) -> None:
    with connect(served) as client:
        client.sendall(request(served.token(), b"", "content-length: 999999999"))
        assert statuses(read_until(client, 1)) == [b"413"]
        assert client.recv(10) == b""


def test_a_client_that_asks_before_it_sends_is_told_to_go_on_or_not(served: Gateway) -> None:
    body, wish = one(), "Expect: 100-continue"
    with connect(served) as client:
        client.sendall(request(served.token(), b"", wish, f"content-length: {len(body)}"))
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(body)
        assert statuses(read_until(client, 1)) == [b"202"]
    with connect(served) as client:
        client.sendall(request("wrong", b"", wish, f"content-length: {len(body)}"))
        assert statuses(read_until(client, 1)) == [b"401"]


BROKEN = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"HELLO\r\n\r\n",
    b"POST /v1/feedback HTTP/9.9\r\n\r\n",
    b"POST /v1/feedback HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/feedback HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
]


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_request_ends_the_connection_and_nothing_else(served: Gateway, data: bytes) -> None:
    with connect(served) as client:
        client.sendall(data)
        answer = read_until(client, 1)
        assert statuses(answer) in ([b"400"], [b"404"], [b"413"])
    assert served.vote(served.token(), event()).status == 202


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_offers_an_upgrade_is_served_in_http_1_1(served: Gateway, chunked: bool) -> None:
    body, offer, token = one(), ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings"), served.token()
    if chunked:
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        first = request(token, framed, *offer, "Transfer-Encoding: chunked")
    else:
        first = request(token, body, *offer)
    with connect(served) as client:
        client.sendall(first + request(token, one()))
        assert statuses(read_until(client, 2)) == [b"202", b"202"]


def test_a_request_that_offers_an_upgrade_may_come_byte_by_byte(served: Gateway) -> None:
    with connect(served) as client:
        for byte in request(served.token(), one(), "Upgrade: h2c", "Connection: Upgrade"):
            client.sendall(bytes([byte]))
        assert statuses(read_until(client, 1)) == [b"202"]


def test_headers_without_end_are_refused(served: Gateway) -> None:
    with connect(served) as client:
        client.sendall(b"POST /v1/feedback HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(3000)))
        assert statuses(read_until(client, 1)) == [b"431"]


def test_clients_that_leave_at_any_point_disturb_nobody(served: Gateway) -> None:
    whole = request(served.token(), one())
    for length in range(0, len(whole) + 1, 7):
        with connect(served) as client:
            client.sendall(whole[:length])
    assert served.vote(served.token(), event()).status == 202
    assert "Traceback" not in served.log_path.read_text()


def test_connections_without_requests_do_not_hold_sigterm_up(make_gateway: MakeGateway) -> None:
    gateway = make_gateway().start()
    idle = [connect(gateway) for _ in range(20)]
    half = connect(gateway)
    half.sendall(b"POST /v1/feedback HTTP/1.1\r\nHost: x\r\n")
    assert gateway.terminate() == 0
    for client in (*idle, half):
        client.close()


def test_many_connections_at_once_are_served(served: Gateway) -> None:
    token = served.token()
    clients = [connect(served) for _ in range(200)]
    for client in clients:
        client.sendall(request(token, one()))
    assert {statuses(read_until(client, 1))[0] for client in clients} == {b"202"}
    for client in clients:
        client.close()
    wait_for(lambda: served.call(served.admin, "GET", "/livez").status == 200, "it lives")
