"""Bad rows of a real process: listed, shown and replayed through the app port and the command line."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.cli.main import main
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, SIGNALS, Gateway, Reply, event
from tests.gateway.replicas import Replicas
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for

STARS = {"name": "stars", "kind": "Stars"}


def app(gateway: Gateway, method: str, path: str, body: Any = None) -> Reply:
    return gateway.call(gateway.app, method, path, body, {"Authorization": f"Bearer {APP_TOKEN}"})


def declare(gateway: Gateway, *signals: dict[str, Any], **collection: Any) -> None:
    """Mends the schema, and waits until the gateway has it."""
    before = gateway.status()["revision"]
    changed = gateway.config["collection"] | {"signals": [*SIGNALS, *signals]} | collection
    gateway.configure(gateway.config | {"collection": changed})
    wait_for(lambda: gateway.status()["revision"] != before, "the configuration is applied")


def law_holds(gateway: Gateway) -> bool:
    status = gateway.status()
    return bool(status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"])


def votes(gateway: Gateway, objects: S3Client) -> list[FeedbackRecord]:
    uploaded(gateway)
    return [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]


def test_all_events_of_an_undeclared_signal_come_back_when_it_is_declared(gateway: Gateway, objects: S3Client) -> None:
    tokens = [gateway.token(session_id=f"s-{n}", subject_id=f"u-{n}", consent={"train": True}) for n in range(4)]
    sent = [event("stars", 1 + n % 5) for n in range(200)]
    for at in range(0, 200, 50):
        assert gateway.vote(tokens[at // 50], {"events": sent[at : at + 50]}).status == 422
    for n in range(40):
        gateway.vote(tokens[0], event("helpful", f"no {n}"))
    listed = app(gateway, "GET", "/v1/badrows?limit=500").json()
    assert (len(listed["rows"]), listed["next"], listed["waiting"]) == (240, None, 0)
    assert {row["event_id"] for row in listed["rows"] if row["code"] == "unknown_signal"} == {
        e["event_id"] for e in sent
    }

    declare(gateway, STARS)
    told = app(gateway, "POST", "/v1/badrows:replay", {"code": "unknown_signal"}).json()
    assert told == {"accepted": 200, "duplicate": 0, "refused": [], "next": None, "waiting": 0}
    found = {vote.event_id: vote for vote in votes(gateway, objects)}
    assert {one: vote.value for one, vote in found.items()} == {e["event_id"]: e["value"] for e in sent}
    assert {vote.channel for vote in found.values()} == {"replay"}
    assert len({(vote.subject, vote.session) for vote in found.values()}) == 4
    assert all(vote.consent is True for vote in found.values())

    status = gateway.status()
    assert (status["replayed"], status["badRows"], status["bySignal"]) == (200, 240, {"stars": 200})
    assert law_holds(gateway)
    left = app(gateway, "GET", "/v1/badrows").json()["rows"]
    assert [(row["code"], row["path"]) for row in left] == [("bad_value", "$.value")] * 40
    assert len(app(gateway, "GET", "/v1/badrows?replayed=true&limit=500").json()["rows"]) == 240

    again = app(gateway, "POST", "/v1/badrows:replay", {"ids": [row["bad_row_id"] for row in listed["rows"]]}).json()
    assert (again["accepted"], again["duplicate"], len(again["refused"])) == (0, 200, 40)
    gateway.kill()
    gateway.start()
    assert gateway.status()["replayed"] == 200
    assert app(gateway, "POST", "/v1/badrows:replay", {"all": True}).json()["accepted"] == 0
    assert len(votes(gateway, objects)) == 200
    assert law_holds(gateway)


def test_every_pod_lists_all_rows_and_knows_what_another_has_replayed(
    make_gateway: MakeGateway, model: Model, objects: S3Client
) -> None:
    replicas = Replicas(make_gateway, 2, stable_port=model.port).start()
    for names in replicas.sessions().values():
        token = replicas.pods[0].token(session_id=names[0])
        for _ in range(3):
            assert replicas.pods[1].vote(token, event("stars", 1)).status == 422
    first, second = replicas.pods
    wait_for(lambda: len(app(first, "GET", "/v1/badrows").json()["rows"]) == 6, "both pods have uploaded their rows")
    rows = app(second, "GET", "/v1/badrows").json()["rows"]
    assert len({row["pod"] for row in rows}) == 2
    for pod in replicas.pods:
        declare(pod, STARS)
    told = app(first, "POST", "/v1/badrows:replay", {"all": True}).json()
    assert (told["accepted"], told["refused"]) == (6, [])
    again = app(second, "POST", "/v1/badrows:replay", {"ids": [row["bad_row_id"] for row in rows]}).json()
    assert (again["accepted"], again["duplicate"]) == (0, 6)
    assert sum(pod.status()["bySignal"].get("stars", 0) for pod in replicas.pods) == 6
    assert all(map(law_holds, replicas.pods))


def test_pages_go_on_where_the_last_one_ended(gateway: Gateway) -> None:
    token = gateway.token()
    for _ in range(7):
        gateway.vote(token, event("stars", 1))
    seen, after = list[str](), ""
    for size in (3, 3, 1):
        page = app(gateway, "GET", f"/v1/badrows?limit=3&after={after}").json()
        assert len(page["rows"]) == size
        seen += [row["bad_row_id"] for row in page["rows"]]
        after = page["next"]
    assert after is None
    assert len(set(seen)) == 7
    declare(gateway, STARS)
    first = app(gateway, "POST", "/v1/badrows:replay", {"all": True, "limit": 4}).json()
    second = app(gateway, "POST", "/v1/badrows:replay", {"all": True, "limit": 4, "after": first["next"]}).json()
    assert (first["accepted"], second["accepted"], second["next"]) == (4, 3, None)


def test_a_shown_row_says_what_was_sent_redacted(gateway: Gateway) -> None:
    reply = gateway.vote(gateway.token(), event("nosuch", "mail a@b.example"))
    bad_row_id = reply.json()["rejected"][0]["bad_row_id"]
    row = app(gateway, "GET", f"/v1/badrows/{bad_row_id}").json()
    assert (row["code"], row["path"], row["replayed"]) == ("unknown_signal", "$.signal", False)
    assert row["raw"]["value"] == "mail <EMAIL_1>"
    assert app(gateway, "GET", "/v1/badrows/b-none").status == 404


def test_an_interaction_that_lacked_required_context_comes_back_too(
    make_gateway: MakeGateway, objects: S3Client
) -> None:
    gateway = make_gateway()
    required = {"context": {"required": ["region"]}}
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | required})
    gateway.start()
    refused = gateway.interact(subject_id="anna", outputs=[{"output_id": "o-1", "content": "x"}])
    assert (refused.status, refused.json()["error"]["code"]) == (422, "missing_context")
    declare(gateway, context={})
    assert app(gateway, "POST", "/v1/badrows:replay", {"all": True}).json()["accepted"] == 1
    again = gateway.interact(subject_id="anna", outputs=[{"output_id": "o-2", "content": "y"}])
    assert again.status == 202
    uploaded(gateway)
    first, second = (record for record in records(gateway, objects) if isinstance(record, InteractionRecord))
    assert (first.subject, first.session) == (second.subject, second.session)
    assert first.outputs[0].output_id == "o-1"


WRONG: list[tuple[str, str, Any]] = [
    ("GET", "/v1/badrows?limit=0", None),
    ("GET", "/v1/badrows?limit=x", None),
    ("GET", "/v1/badrows?after=..%2F..", None),
    ("GET", "/v1/badrows?nosuch=1", None),
    ("POST", "/v1/badrows:replay", {}),
    ("POST", "/v1/badrows:replay", {"all": True, "code": "x"}),
    ("POST", "/v1/badrows:replay", {"ids": ["x"] * 501}),
    ("POST", "/v1/badrows:replay", b"{"),
]


def test_wrong_requests_are_told_apart(gateway: Gateway) -> None:
    for method, path, body in WRONG:
        reply = app(gateway, method, path, body)
        assert (reply.status, reply.json()["error"]["code"]) == (400, "bad_request")
    assert app(gateway, "DELETE", "/v1/badrows").status == 405
    assert gateway.call(gateway.app, "GET", "/v1/badrows").status == 401
    told = app(gateway, "POST", "/v1/badrows:replay", {"ids": [f"b-{uuid.uuid4().hex}"]}).json()
    assert [refused["code"] for refused in told["refused"]] == ["unknown_id"]


def test_while_object_storage_is_away_the_answer_is_503(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    gateway.start()
    storage = gateway.config["storage"] | {"url": "http://127.0.0.1:9"}
    before = gateway.status()["revision"]
    gateway.configure(gateway.config | {"storage": storage})
    wait_for(lambda: gateway.status()["revision"] != before, "the configuration is applied")
    reply = app(gateway, "GET", "/v1/badrows")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")


def test_the_command_line_lists_shows_and_replays(
    gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(APP_TOKEN)
    where = ["--gateway", f"http://127.0.0.1:{gateway.app}", "--token-file", str(tmp_path / "token")]
    reply = gateway.vote(gateway.token(), {"events": [event("stars", 5), event("stars", 9)]})
    first, second = (row["bad_row_id"] for row in reply.json()["rejected"])
    assert main(["badrows", "list", "bot", *where]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["bad_row_id", "received_at", "code", "path", "source", "channel"]
    assert [line.split()[0] for line in lines] == [first, second]
    assert main(["badrows", "show", "bot", second, *where]) == 0
    assert '"value": 9' in capsys.readouterr().out
    declare(gateway, STARS)
    assert main(["badrows", "replay", "bot", "--all", *where]) == 1
    out = capsys.readouterr().out
    assert out.startswith("1 accepted, 0 were there already, 1 refused\n")
    assert f"{second}: bad_value at $.value" in out
    assert main(["badrows", "replay", "bot", "--id", first, "-o", "json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["duplicate"] == 1
    (tmp_path / "token").write_text("wrong")
    assert main(["badrows", "list", "bot", *where]) == 2
    assert "app token" in capsys.readouterr().err
