"""Limits over a real process: by tenant, batches by their events, and one connection does not take what others need."""

from __future__ import annotations

import json
from typing import Any

from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import Gateway, Reply, event
from tests.hostile import sockets


def batch(gateway: Gateway, token: str, count: int) -> Reply:
    lines = b"\n".join(json.dumps(event()).encode() for _ in range(count))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    return gateway.call(gateway.feedback, "POST", "/v1/feedback:batch", lines, headers)


def limited(make_gateway: MakeGateway, limits: dict[str, Any], port: int = 1) -> Gateway:
    gateway = make_gateway(stable_port=port)
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"rateLimits": limits}})
    return gateway.start()


def test_a_batch_counts_as_its_events_or_not_at_all(make_gateway: MakeGateway) -> None:
    gateway = limited(make_gateway, {"perSubject": {"requests": 10, "periodSeconds": 3600}})
    token = gateway.token()
    assert batch(gateway, token, 6).status == 202
    refused = batch(gateway, token, 5)
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert batch(gateway, token, 4).status == 202
    assert gateway.vote(token, event()).status == 429
    assert gateway.status()["bySignal"] == {"helpful": 10}


def test_a_batch_that_never_fits_is_told_so(make_gateway: MakeGateway) -> None:
    gateway = limited(make_gateway, {"perSubject": {"requests": 3, "periodSeconds": 60}})
    reply = batch(gateway, gateway.token(), 4)
    assert (reply.status, reply.json()["error"]["message"]) == (
        429,
        "more events at once than the rate limit ever allows",
    )


def test_a_tenant_is_limited_over_all_its_users(make_gateway: MakeGateway, model: Model) -> None:
    gateway = limited(make_gateway, {"perTenant": {"requests": 2, "periodSeconds": 3600}}, model.port)
    votes = []
    for tenant, session in (("acme", "a"), ("acme", "b"), ("acme", "c"), ("other", "d")):
        token = gateway.ask("q", session=session, X_Tenant_Id=tenant).headers["X-Feedback-Token"]
        votes.append(gateway.vote(token, event()).status)
    assert votes == [202, 202, 429, 202]


def test_answers_come_in_the_order_of_requests_also_when_one_is_refused(make_gateway: MakeGateway) -> None:
    gateway = make_gateway().start()
    token, body = gateway.token(), json.dumps(event()).encode()
    head = (
        f"POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answers = sockets.exchange(gateway.feedback, head.encode() + body + b"no request at all\r\n\r\n", sentinel=False)
    assert [answer.status for answer in answers] == [202, 400]
