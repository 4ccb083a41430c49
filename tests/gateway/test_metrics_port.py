"""The metrics that alerts are made from, on a port that can do nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event, free_port
from tests.gateway.waiting import wait_for

ALERTS = Path(__file__).resolve().parents[2] / "charts" / "feedbackloop-operator" / "files" / "alerts.yaml"
NAME = re.compile(r"feedbackloop_gateway_[a-z_]+")


def metrics(gateway: Gateway, port: int) -> str:
    return gateway.call(port, "GET", "/metrics").body.decode()


def test_every_metric_of_an_alert_is_there_and_nothing_else_is_served(make_gateway: MakeGateway) -> None:
    port = free_port()
    gateway = make_gateway(env={"FL_METRICS_PORT": str(port)}).start()
    token = gateway.token()
    assert gateway.vote(token, event()).status == 202
    reply = gateway.call(port, "GET", "/metrics")
    assert reply.status == 200
    assert b"feedbackloop_gateway_events_accepted_total 2\n" in reply.body
    assert b"upload_error" not in reply.body
    away = gateway.config["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}
    gateway.configure(gateway.config | {"storage": away})
    wanted = set(NAME.findall(ALERTS.read_text()))
    assert len(wanted) > 5
    assert gateway.vote(token, event()).status == 202
    wait_for(lambda: wanted <= set(NAME.findall(metrics(gateway, port))), "every metric of an alert is there")
    for method, path in (("GET", "/status"), ("POST", "/drain"), ("POST", "/metrics"), ("GET", "/readyz")):
        assert gateway.call(port, method, path).status == 404
    assert gateway.vote(token, event()).status == 202
