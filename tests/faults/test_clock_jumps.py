"""A gateway under a wall clock that jumps: tokens stay valid, windows stay open, time goes on."""

from __future__ import annotations

import pytest

from tests.faults.zygote import Zygote
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import event
from tests.gateway.waiting import wait_for

YEAR, HOUR = 365 * 24 * 3600, 3600
OUTCOME = {"name": "downvotes", "signal": "helpful", "event": "ThumbsDown", "attributionWindowSeconds": 86_400}


@pytest.mark.parametrize("seconds", [YEAR, -HOUR])
def test_a_jump_of_the_wall_clock_is_named_and_changes_nothing(
    make_gateway: MakeGateway, zygote: Zygote, model: Model, seconds: int
) -> None:
    gateway = make_gateway(stable_port=model.port, outcomes=[OUTCOME])
    control = gateway.root / "clock"
    control.write_text("0")
    gateway.adopt(zygote.spawn(gateway, FL_TEST_CLOCK=str(control)))
    wait_for(gateway.is_ready, "the gateway is ready")
    token = gateway.ask("q", session="s").headers["x-feedback-token"]
    control.write_text(str(seconds))
    assert gateway.vote(token, event()).status == 202
    wait_for(lambda: abs(gateway.status()["clockOffsetSeconds"] - seconds) < 60, "the offset is on the status")
    status = gateway.status()
    assert (status["openUnits"], status["units"]) == (1, [])
    control.write_text("0")
    wait_for(lambda: gateway.status()["clockOffsetSeconds"] == 0, "the clocks agree again")
    assert gateway.vote(token, event("note", "x")).status == 202
    assert b"feedbackloop_gateway_clock_jumps_total 1\n" in gateway.call(gateway.admin, "GET", "/metrics").body
