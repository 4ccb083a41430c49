"""The proxy of a real process: stickiness, streaming, fallback, weights, and nothing that tells the arm."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from feedbackloop.api.gateway import Arm, Routing
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import InteractionRecord
from feedbackloop.gateway.assignment import assign
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway, event, free_port
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for


@pytest.fixture
def canary() -> Iterator[Model]:
    server = Model("canary-model")
    yield server
    server.stop()


def routing(stable: Model, canary: Model, *, weight: int, epoch: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "runUid": "run-1",
        "epoch": epoch,
        "weight": weight,
        "salt": "salt",
        "stable": stable.backend(),
        "canary": canary.backend(),
        "fallback": "stable",
    } | changes


def arm_of(config: dict[str, Any], session: str) -> Arm:
    return assign(Routing.model_validate(config), session)


def apply(gateway: Gateway, config: dict[str, Any]) -> None:
    """Configures a routing and waits until the gateway reports it."""
    gateway.configure(gateway.config | {"routing": config})
    wait_for(lambda: gateway.status()["epoch"] == config["epoch"], "the epoch is reported")


def text(reply: Any) -> str:
    return str(reply.json()["choices"][0]["message"]["content"])


def test_sessions_stick_to_the_arm_of_their_bucket(make_gateway: MakeGateway, model: Model, canary: Model) -> None:
    split = routing(model, canary, weight=50)
    gateway = make_gateway(routing=split).start()
    for number in range(20):
        session = f"s-{number}"
        expected = "canary-model" if arm_of(split, session) is Arm.CANARY else "stable-model"
        assert {text(gateway.ask("q", session=session)) for _ in range(2)} == {f"answer of {expected}"}
    assert text(gateway.ask("q")) == "answer of stable-model"


def test_an_answer_carries_a_token_that_admits_votes_about_it(gateway: Gateway, objects: S3Client) -> None:
    reply = gateway.ask("my mail is a@example.com", session="s-1", X_Subject_Id="anna", X_Consent_Train="true",
                        X_Turn_Id="t-7", X_Prompt_Template="support@14", X_Segment="enterprise", X_Region="eu",
                        X_Retrieval="doc-1, doc-2")  # fmt: skip
    assert gateway.vote(reply.headers["X-Feedback-Token"], event()).json()["accepted"] == 1
    uploaded(gateway)
    interaction, vote = records(gateway, objects)
    assert isinstance(interaction, InteractionRecord)
    assert interaction.serving is not None
    assert [message.content for message in interaction.messages] == ["my mail is <EMAIL_1>"]
    assert interaction.outputs[0].output_id == reply.headers["X-Feedback-Output-Id"] == vote.output_id  # type: ignore[union-attr]
    assert interaction.consent is True
    context = interaction.context
    assert (context.turn_id, context.prompt_template, context.segment) == ("t-7", "support@14", "enterprise")
    assert (context.region, context.retrieval) == ("eu", ("doc-1", "doc-2"))
    assert vote.trainable  # type: ignore[union-attr]


def test_the_model_sees_neither_tokens_nor_the_trusted_headers(gateway: Gateway, model: Model) -> None:
    gateway.ask("q", session="s-1", X_Subject_Id="anna", X_Consent_Train="true", X_Segment="x", Cookie="c")
    headers, body = model.requests[-1]
    names = {name.lower() for name in headers}
    assert names <= {"host", "accept", "content-type", "content-length", "accept-encoding", "connection"}
    assert body["messages"] == [{"role": "user", "content": "q"}]


def test_nothing_in_an_answer_tells_the_arm(make_gateway: MakeGateway, model: Model, canary: Model) -> None:
    gateway = make_gateway(routing=routing(model, canary, weight=50)).start()
    shapes = set()
    for number in range(30):
        reply = gateway.ask("q", session=f"s-{number}")
        body = reply.json()
        assert body["model"] == "bot"
        assert "system_fingerprint" not in body
        assert "x-served-by" not in reply.headers
        token = base64.urlsafe_b64decode(reply.headers["X-Feedback-Token"] + "==")
        assert not any(word in token for word in (b"canary", b"stable", b"run-1"))
        shapes.add((tuple(sorted(reply.headers)), len(reply.headers["X-Feedback-Token"])))
    assert len(shapes) == 1


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_error_of_the_model_is_passed_on_without_its_text(gateway: Gateway, model: Model, status: int) -> None:
    model.status = status
    reply = gateway.ask("q", session="s-1")
    assert reply.status == status
    assert b"stable-model" not in reply.body
    assert "x-feedback-token" not in reply.headers


def test_a_stream_comes_through_piece_by_piece_and_is_logged_at_its_end(
    gateway: Gateway, model: Model, objects: S3Client
) -> None:
    model.go_on.clear()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.app, timeout=20)
    body = {"model": "bot", "stream": True, "messages": [{"role": "user", "content": "q"}]}
    headers = {"Authorization": f"Bearer {APP_TOKEN}", "X-Session-Id": "s-1"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    first = response.readline() + response.readline()
    assert b"answer " in first
    assert gateway.status()["stored"] == 0
    model.go_on.set()
    rest = response.read()
    assert rest.endswith(b"data: [DONE]\n\n")
    assert b"stable-model" in rest
    assert b'"model":"bot"' in rest
    assert gateway.status()["stored"] == 1
    token = response.headers["X-Feedback-Token"]
    assert gateway.vote(token, event()).json()["accepted"] == 1
    uploaded(gateway)
    interaction = records(gateway, objects)[0]
    assert isinstance(interaction, InteractionRecord)
    assert interaction.outputs[0].content == "answer of stable-model"


def test_a_stream_that_the_model_breaks_off_is_an_error_and_has_no_end(gateway: Gateway, model: Model) -> None:
    for _ in range(5):
        gateway.ask("warm up", session="w")
    model.breaks = True
    with pytest.raises(Exception, match=r"IncompleteRead|Connection broken|Incomplete"):
        gateway.ask("q", session="s-1", stream=True)
    traffic = gateway.status()["traffic"]
    assert [(entry["requests"], entry["errors"]) for entry in traffic] == [(1, 1)]


def test_a_client_that_leaves_ends_the_stream_upstream(gateway: Gateway, model: Model) -> None:
    model.go_on.clear()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.app, timeout=20)
    body = {"model": "bot", "stream": True, "messages": [{"role": "user", "content": "q"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {APP_TOKEN}"})
    response = connection.getresponse()
    assert b"answer " in response.readline()
    response.close()
    connection.close()

    def noticed() -> bool:
        metrics = gateway.call(gateway.admin, "GET", "/metrics").body
        return gateway.status()["stored"] == 1 or b"client_disconnects_total 1" in metrics

    wait_for(noticed, "the disconnect is noticed")
    model.go_on.set()
    assert gateway.ask("q").status == 200


def test_without_a_canary_endpoint_stable_answers_and_the_unit_is_dropped(
    make_gateway: MakeGateway, model: Model, canary: Model
) -> None:
    gone = canary.backend() | {"port": free_port()}
    split = routing(model, canary, weight=99) | {"canary": gone}
    gateway = make_gateway(routing=split).start()
    session = next(f"s-{n}" for n in range(100) if arm_of(split, f"s-{n}") is Arm.CANARY)
    assert text(gateway.ask("q", session=session)) == "answer of stable-model"
    status = gateway.status()
    assert status["openUnits"] == 0
    assert [(entry["arm"], entry["unavailable"], entry["requests"]) for entry in status["traffic"]] == [
        ("canary", 1, 0)
    ]


def test_a_model_that_dies_between_two_requests_is_unavailable_and_no_error(
    make_gateway: MakeGateway, model: Model, canary: Model
) -> None:
    split = routing(model, canary, weight=99)
    gateway = make_gateway(routing=split).start()
    session = next(f"s-{n}" for n in range(100) if arm_of(split, f"s-{n}") is Arm.CANARY)
    assert text(gateway.ask("q", session=session)) == "answer of canary-model"
    canary.stop()
    assert text(gateway.ask("q", session=session)) == "answer of stable-model"
    traffic = {entry["arm"]: entry for entry in gateway.status()["traffic"]}
    assert (traffic["canary"]["unavailable"], traffic["canary"]["errors"]) == (1, 0)


def test_without_any_endpoint_the_answer_is_503_with_retry_after(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(stable_port=free_port()).start()
    reply = gateway.ask("q", session="s")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "x-feedback-token" not in reply.headers


def test_a_new_weight_is_applied_within_a_second(make_gateway: MakeGateway, model: Model, canary: Model) -> None:
    gateway = make_gateway(routing=routing(model, canary, weight=0)).start()
    for epoch, weight in ((2, 100), (3, 0), (4, 100)):
        begun = time.monotonic()
        gateway.configure(gateway.config | {"routing": routing(model, canary, weight=weight, epoch=epoch)})
        expected = "answer of canary-model" if weight else "answer of stable-model"
        wait_for(lambda: text(gateway.ask("q", session="s")) == expected, "the weight works", 5)  # noqa: B023
        assert time.monotonic() - begun < 1.0
        assert gateway.status()["epoch"] == epoch


def test_a_refused_configuration_changes_nothing(gateway: Gateway) -> None:
    revision = gateway.status()["revision"]
    gateway.config_path.write_text('{"planted": "secret text"}')
    metrics = "feedbackloop_gateway_configs_refused_total 1"
    wait_for(lambda: metrics in gateway.call(gateway.admin, "GET", "/metrics").body.decode(), "it is refused")
    assert gateway.status()["revision"] == revision
    assert "secret text" not in gateway.log_path.read_text()


def test_units_are_counted_over_restarts_exactly_once(make_gateway: MakeGateway, model: Model, canary: Model) -> None:
    split = routing(model, canary, weight=50)
    window = {"name": "downvotes", "signal": "helpful", "event": "ThumbsDown", "attributionWindowSeconds": 20}
    gateway = make_gateway(routing=split, outcomes=[window]).start()
    sessions = [f"s-{number}" for number in range(12)]
    tokens = {name: gateway.ask("q", session=name).headers["X-Feedback-Token"] for name in sessions}
    for name in sessions[:8]:
        gateway.vote(tokens[name], event(value=name != "s-0"))
    gateway.kill()
    gateway.start()
    for name in sessions[:4]:
        gateway.vote(tokens[name], event(value=False))

    def closed() -> bool:
        return bool(gateway.status()["openUnits"] == 0)

    wait_for(closed, "all windows are closed")
    gateway.vote(tokens["s-9"], event(value=False))
    for name in sessions:
        gateway.ask("q", session=name)
    uploaded(gateway)
    before = gateway.status()
    gateway.kill()
    gateway.start()
    after = gateway.status()
    assert after["units"] == before["units"]
    assert after["traffic"] == before["traffic"]
    expected = {arm: sum(arm_of(split, name) == arm for name in sessions) for arm in ("stable", "canary")}
    assert {entry["arm"]: entry["units"] for entry in after["units"]} == expected
    assert sum(entry["rated"] for entry in after["units"]) == 8
    assert sum(entry["events"] for entry in after["units"]) == 4


def test_in_a_new_epoch_old_sessions_do_not_count(make_gateway: MakeGateway, model: Model, canary: Model) -> None:
    gateway = make_gateway(routing=routing(model, canary, weight=50)).start()
    gateway.ask("q", session="old")
    apply(gateway, routing(model, canary, weight=50, epoch=2))
    gateway.ask("q", session="old")
    gateway.ask("q", session="new")
    wait_for(lambda: gateway.status()["openUnits"] == 0, "the windows are closed")
    assert {entry["epoch"]: entry["units"] for entry in gateway.status()["units"]} == {1: 1, 2: 1}


def test_models_are_listed(gateway: Gateway) -> None:
    reply = gateway.call(gateway.app, "GET", "/v1/models", None, {"Authorization": f"Bearer {APP_TOKEN}"})
    assert reply.json()["data"][0]["id"] == "bot"
    assert gateway.call(gateway.app, "GET", "/v1/models").status == 401
