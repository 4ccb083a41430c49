"""The app port's HTTP over raw sockets: bounds, deadlines, and offers of other protocols."""

from __future__ import annotations

import json
import socket
import uuid

import pytest

from tests.gateway.conftest import MakeGateway
from tests.gateway.process import APP_TOKEN, Gateway, event
from tests.gateway.test_protocol import connect as to_feedback
from tests.gateway.test_protocol import read_until, statuses
from tests.gateway.waiting import wait_for


def connect(gateway: Gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.app), timeout=10)


def interaction() -> bytes:
    return json.dumps(
        {
            "event_id": str(uuid.uuid4()),
            "session_id": "s",
            "messages": [{"role": "user", "content": "q"}],
            "outputs": [{"output_id": f"o-{uuid.uuid4()}", "content": "a"}],
        }
    ).encode()


def posted(body: bytes, *extra: str) -> bytes:
    lines = ["POST /v1/interactions HTTP/1.1", "Host: x", f"Authorization: Bearer {APP_TOKEN}", *extra]
    if not any("ransfer-" in line for line in extra):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_offers_an_upgrade_is_served_in_http_1_1(gateway: Gateway, chunked: bool) -> None:
    body, offer = interaction(), ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk")
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    first = posted(framed, *offer, *(["Transfer-Encoding: chunked"] if chunked else []))
    with connect(gateway) as client:
        client.sendall(first)
        assert statuses(read_until(client, 1)) == [b"202"]
        client.sendall(posted(interaction()))
        assert statuses(read_until(client, 1)) == [b"202"]
    assert gateway.status()["stored"] >= 2


def test_an_offered_websocket_is_answered_as_what_it_is(gateway: Gateway) -> None:
    with connect(gateway) as client:
        client.sendall(
            f"GET /v1/nothing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {APP_TOKEN}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()
        )
        assert statuses(read_until(client, 1)) == [b"404"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"HELLO\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(3000)), b"431"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", b"431"),
    ],
)
def test_what_is_no_request_ends_the_connection(gateway: Gateway, data: bytes, status: bytes) -> None:
    with connect(gateway) as client:
        client.sendall(data)
        assert statuses(read_until(client, 1)) == [status]
        assert client.recv(100) == b""
    assert gateway.interact().status == 202


def test_with_few_open_files_surplus_connections_are_refused_and_the_log_goes_on(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"flushSeconds": 3600}})
    gateway.start(under=("prlimit", "--nofile=256:256"))
    token, vote = gateway.token(), event("note", "x")
    idle = [to_feedback(gateway) for _ in range(300)] + [connect(gateway) for _ in range(300)]
    wait_for(lambda: gateway.call(gateway.admin, "GET", "/livez").status == 200, "it lives")
    assert gateway.call(gateway.admin, "POST", "/drain").status == 202
    wait_for(lambda: gateway.status()["drained"], "files can still be made and uploaded")
    for client in idle:
        client.close()
    assert gateway.vote(token, vote).status == 503
    assert "Traceback" not in gateway.log_path.read_text()
