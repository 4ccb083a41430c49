"""The Python client and the importers against a real gateway process."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.cli.main import main
from feedbackloop.client import Feedback, FeedbackError, Refused, uuid7
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import APP_TOKEN, SIGNALS, Gateway, free_port
from tests.gateway.stored import records, uploaded
from tests.unit.importers.declared import SAMPLES

DECLARED = [
    *SIGNALS,
    {"name": "rate", "kind": "Stars"},
    {"name": "true", "kind": "Question", "dimension": "Factuality"},
    {"name": "read", "kind": "Dwell"},
    {"name": "copied", "kind": "Copy"},
    {"name": "used", "kind": "Accept"},
    {"name": "again", "kind": "Regenerate"},
    {"name": "changed", "kind": "Edit"},
    {"name": "sold", "kind": "Conversion", "values": ["bought"]},
    {"name": "passed", "kind": "Skip"},
]
REASONS = {"name": "why", "kind": "Reason", "values": ["inaccurate", "style", "other"]}


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> Gateway:
    """A started gateway that declares a signal of every kind that clients send."""
    made = make_gateway()
    signals = [REASONS if signal["name"] == "why" else signal for signal in DECLARED]
    made.configure(made.config | {"collection": made.config["collection"] | {"signals": signals}})
    return made.start()


def app(gateway: Gateway, **settings: Any) -> Feedback:
    return Feedback(f"http://127.0.0.1:{gateway.app}", app_token=APP_TOKEN, **settings)


def votes(gateway: Gateway, objects: S3Client) -> dict[str, FeedbackRecord]:
    uploaded(gateway)
    found = (record for record in records(gateway, objects) if isinstance(record, FeedbackRecord))
    return {record.event_id: record for record in found}


def everything(client: Feedback, **more: Any) -> dict[str, str]:
    """One event of each method; the signals by event id."""
    return {
        client.thumbs("o-1", False, reason="inaccurate", comment="wrong year", **more): "helpful",
        client.stars("o-1", 4, **more): "rate",
        client.prefer("b", "o-1", "o-2", positions=(1, 0), **more): "prefer",
        client.reason("o-1", "style", **more): "why",
        client.correct("o-1", "in 1999", **more): "fix",
        client.comment("o-1", "mail a@b.example", **more): "note",
        client.ask("o-1", "unsure", dimension="Factuality", **more): "true",
        client.skip("o-1", **more): "passed",
        client.exposure("o-1", **more): "seen",
        client.dwell("o-1", 1500, **more): "read",
        client.copy("o-1", 12, fraction=0.5, **more): "copied",
        client.accept("o-1", **more): "used",
        client.regenerate("o-1", "o-2", **more): "again",
        client.edit("o-1", 0.25, **more): "changed",
        client.conversion("o-1", 9.5, goal="bought", **more): "sold",
    }


@pytest.mark.parametrize("background", [False, True])
def test_every_method_of_the_client_is_understood(gateway: Gateway, objects: S3Client, background: bool) -> None:
    with app(gateway, background=background) as client:
        sent = everything(client, session_id="s-1", subject_id="anna", consent=True)
        assert client.flush()
        assert client.stats.dropped == client.stats.rejected == 0
    found = votes(gateway, objects)
    assert {event_id: found[event_id].signal for event_id in sent} == sent
    assert len(found) == len(sent) + 2
    assert len({(vote.subject, vote.session, vote.channel) for vote in found.values()}) == 1
    note = next(vote for vote in found.values() if vote.signal == "note" and vote.value != "wrong year")
    assert note.value == "mail <EMAIL_1>"


def test_with_a_feedback_token_the_client_speaks_for_its_answer(gateway: Gateway, objects: S3Client) -> None:
    outputs = [{"output_id": "o-1", "content": "a"}, {"output_id": "o-2", "content": "b"}]
    token = gateway.token(outputs=outputs, consent={"train": True})
    with Feedback(f"http://127.0.0.1:{gateway.feedback}", token=token) as client:
        sent = everything(client)
        with pytest.raises(Refused, match="unknown_output"):
            client.thumbs("o-3", True)
        with pytest.raises(Refused, match="unknown_field"):
            client.thumbs("o-1", True, subject_id="ben")
    found = votes(gateway, objects)
    assert {event_id: found[event_id].signal for event_id in sent} == sent
    assert all(vote.consent for vote in found.values())


def test_a_vote_is_changed_and_taken_back(gateway: Gateway, objects: S3Client) -> None:
    with app(gateway) as client:
        first = client.thumbs("o-1", True, session_id="s-1")
        second = client.thumbs("o-1", False, session_id="s-1", supersedes=first)
        third = client.retract(second)
    found = votes(gateway, objects)
    assert (found[second].supersedes, found[second].retracted) == (first, False)
    assert (found[third].supersedes, found[third].retracted, found[third].value) == (second, True, None)
    assert len({vote.subject for vote in found.values()}) == 1


def test_what_was_sent_while_the_gateway_was_away_arrives_once(gateway: Gateway, objects: S3Client) -> None:
    with app(gateway, background=True, total=60.0) as client:
        client.thumbs("o-0", True, session_id="s")
        assert client.flush()
        gateway.kill()
        sent = {client.thumbs(f"o-{number}", True, session_id="s") for number in range(1, 120)}
        gateway.start()
        assert client.flush(60.0)
        assert (client.stats.accepted + client.stats.duplicate, client.stats.dropped) == (120, 0)
    assert sent <= votes(gateway, objects).keys()
    assert gateway.status()["bySignal"] == {"helpful": 120}


class CutOff:
    """A proxy that breaks every second connection after the request was passed on, before the answer."""

    def __init__(self, port: int) -> None:
        self._port, self._broken = port, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for number in range(10_000):
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._one(client, answered=number % 2 == 1)

    def _one(self, client: socket.socket, *, answered: bool) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            server.sendall(_message(client))
            answer = _message(server)
            if answered:
                client.sendall(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    def close(self) -> None:
        self._listener.close()


def _message(sender: socket.socket) -> bytes:
    """A whole request or answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sender.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    while len(body) < length:
        body += sender.recv(65536)
    return head + b"\r\n\r\n" + body


def test_an_answer_that_is_lost_is_no_second_vote(gateway: Gateway) -> None:
    proxy = CutOff(gateway.app)
    names = {"Thumbs": "helpful"}
    try:
        with Feedback(f"http://127.0.0.1:{proxy.port}", app_token=APP_TOKEN, signals=names) as client:
            for number in range(10):
                client.thumbs(f"o-{number}", True, session_id="s")
    finally:
        proxy.close()
    assert gateway.status()["bySignal"] == {"helpful": 10}


def test_the_wrong_server_is_told(gateway: Gateway) -> None:
    with pytest.raises(Refused, match="app token"):
        Feedback(f"http://127.0.0.1:{gateway.app}", app_token="x").send([{"event_id": uuid7(), "signal": "helpful"}])
    with pytest.raises(FeedbackError, match="not_found"):
        Feedback(f"http://127.0.0.1:{gateway.admin}", app_token="x").thumbs("o", True)
    client = Feedback(f"http://127.0.0.1:{free_port()}", app_token="x", total=0.2, signals={"Thumbs": "helpful"})
    with pytest.raises(FeedbackError):
        client.thumbs("o", True)


NAMES = "user-feedback=helpful,cause=why,rating=rate"
IMPORTS = {
    "open-webui": (["open-webui.json"], 2, 8, {"helpful": 4, "why": 2, "note": 1, "prefer": 1}),
    "langfuse": (
        [
            "langfuse-scores.json",
            "--traces",
            "langfuse-traces.jsonl",
            "--signal-map",
            "user-feedback=helpful,cause=why,rating=rate",
        ],
        3,
        5,
        {"helpful": 1, "note": 2, "rate": 1, "why": 1},
    ),
    "mlflow": (["mlflow-traces.json"], 2, 4, {"helpful": 2, "note": 1, "fix": 1}),
}


@pytest.mark.parametrize("source", IMPORTS)
def test_an_export_is_imported_once_however_often(
    gateway: Gateway, objects: S3Client, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    given, interactions, events, signals = IMPORTS[source]
    files = [str(SAMPLES / part) if part.endswith((".json", ".jsonl")) else part for part in given]
    (tmp_path / "token").write_text(APP_TOKEN)
    where = ["--gateway", f"http://127.0.0.1:{gateway.app}", "--token-file", str(tmp_path / "token"), "-o", "json"]
    told = []
    for _ in range(2):
        main(["import", source, *files, *where, "--consent", "train"])
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["refused"] == told[1]["refused"] == []
    assert told[1]["interactions"] == told[1]["events"] == 0
    assert told[0]["skipped"] == told[1]["skipped"] != []
    assert (told[0]["interactions"], told[0]["events"]) == (interactions, events)
    status = uploaded(gateway)
    assert (status["bySignal"], status["badRows"]) == (signals, 0)
    found = records(gateway, objects)
    assert {record.channel for record in found if isinstance(record, InteractionRecord | FeedbackRecord)} == {"import"}
    shown = {output.output_id for record in found if isinstance(record, InteractionRecord) for output in record.outputs}
    rated = {record.output_id for record in found if isinstance(record, FeedbackRecord) and record.output_id}
    assert rated <= shown | {"m-9"}
