"""What a real process survives: kills under load, storage away, a second process; and nothing private anywhere."""

from __future__ import annotations

import json
import random
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event, free_port
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for
from tests.support.seaweedfs import SeaweedFs


class Load:
    """Clients that vote as fast as they can, and remember what they sent and what was acknowledged."""

    def __init__(self, gateway: Gateway, token: str, clients: int = 8) -> None:
        self.sent: list[dict[str, Any]] = []
        self.acknowledged: set[str] = set()
        self._gateway, self._token, self._clients = gateway, token, clients
        self._stop = threading.Event()

    def run_until(self, enough: int, then: Any) -> None:
        """Loads until `enough` votes were acknowledged, calls `then` in the midst of it, and stops."""
        goal = len(self.acknowledged) + enough
        self._stop.clear()
        with ThreadPoolExecutor(self._clients) as pool:
            for _ in range(self._clients):
                pool.submit(self._work)
            wait_for(lambda: len(self.acknowledged) >= goal, "votes are acknowledged", 60)
            then()
            self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            vote = event("note", f"text {len(self.sent)}")
            self.sent.append(vote)
            try:
                reply = self._gateway.vote(self._token, vote)
            except urllib3.exceptions.HTTPError:
                continue
            if reply.status == 202:
                self.acknowledged.add(vote["event_id"])


def test_ten_kills_under_load_lose_nothing_and_a_replay_duplicates_nothing(
    make_gateway: MakeGateway, objects: S3Client
) -> None:
    chance = random.Random(7)
    gateway = make_gateway().start()
    load = Load(gateway, gateway.token())
    for _ in range(10):
        load.run_until(chance.randint(20, 200), gateway.kill)
        gateway.start()
    for start in range(0, len(load.sent), 50):
        reply = gateway.vote(load._token, {"events": load.sent[start : start + 50]})
        assert reply.status == 202, reply.body
    status = uploaded(gateway, 60)
    assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]
    found = [record.event_id for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert load.acknowledged <= set(found)
    assert sorted(found) == sorted({vote["event_id"] for vote in load.sent})
    assert list((gateway.volume / "quarantine").iterdir()) == []


def test_while_storage_is_away_votes_are_taken_and_later_uploaded(
    make_gateway: MakeGateway, s3: SeaweedFs, objects: S3Client
) -> None:
    gateway = make_gateway().start()
    away = gateway.config["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}
    there = gateway.config
    gateway.kill()
    gateway.configure(there | {"storage": away})
    gateway.start()
    token = gateway.token()
    for _ in range(3):
        assert gateway.vote(token, event()).status == 202
        wait_for(lambda: not list((gateway.volume / "wal").glob("none")), "a moment", 1)
    wait_for(lambda: gateway.status().get("storageError"), "the error is shown")
    assert gateway.status()["uploaded"]["offset"] == 0
    gateway.kill()
    gateway.start()
    assert gateway.vote(token, event()).status == 202
    gateway.configure(there)
    status = uploaded(gateway)
    assert (status["stored"], status.get("storageError")) == (5, None)
    assert len(records(gateway, objects)) == 5


def test_storage_that_hangs_holds_nobody_up(gateway: Gateway, s3: SeaweedFs, objects: S3Client) -> None:
    token = gateway.token()
    s3.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: list((gateway.volume / "wal").glob("*.seg")), "a segment is there")
        for _ in range(20):
            assert gateway.vote(token, event()).status == 202
    finally:
        s3.process.send_signal(signal.SIGCONT)
    assert uploaded(gateway, 60)["stored"] == 21
    assert len(records(gateway, objects)) == 21


def test_an_upload_whose_answer_was_lost_is_recognised(gateway: Gateway, objects: S3Client) -> None:
    gateway.vote(gateway.token(), event())
    wal = gateway.volume / "wal"
    kept = {path.name: path.read_bytes() for path in wal.glob("*.seg")}
    checkpoint = gateway.volume / "checkpoint"
    before = checkpoint.read_bytes()
    uploaded(gateway)
    gateway.kill()
    for name, data in kept.items():
        (wal / name).write_bytes(data)
    checkpoint.write_bytes(before)
    gateway.start()
    status = uploaded(gateway)
    assert status["stored"] == 2
    assert len(records(gateway, objects)) == 2
    assert b"upload_conflicts_total 0" in gateway.call(gateway.admin, "GET", "/metrics").body


def test_a_second_process_on_the_volume_ends_at_once(make_gateway: MakeGateway, gateway: Gateway) -> None:
    second = make_gateway(env={"FL_VOLUME": str(gateway.volume)})
    second.kek = gateway.kek
    (second.root / "secrets" / "kek" / "key").write_bytes(gateway.kek)
    second.start(ready=False)
    assert second.wait() == 1
    assert gateway.vote(gateway.token(), event()).status == 202


def test_another_kek_does_not_open_the_volume(gateway: Gateway) -> None:
    gateway.vote(gateway.token(), event())
    gateway.kill()
    (gateway.root / "secrets" / "kek" / "key").write_bytes(bytes(32))
    gateway.start(ready=False)
    assert gateway.wait() == 1


def test_sigterm_answers_what_it_took_and_loses_nothing(gateway: Gateway) -> None:
    load = Load(gateway, gateway.token())
    codes: list[int] = []
    load.run_until(50, lambda: codes.append(gateway.terminate()))
    assert codes == [0]
    gateway.start()
    assert gateway.status()["stored"] >= len(load.acknowledged) + 1
    for vote in [vote for vote in load.sent if vote["event_id"] in load.acknowledged][:50]:
        assert gateway.vote(load._token, vote).json()["duplicate"] == 1


def test_drain_uploads_everything_and_takes_nothing_more(gateway: Gateway, objects: S3Client) -> None:
    token = gateway.token()
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"flushSeconds": 3600}})
    gateway.vote(token, event())
    assert gateway.call(gateway.admin, "POST", "/drain").status == 202
    wait_for(lambda: gateway.status()["drained"], "it is drained")
    assert len(records(gateway, objects)) == 2
    reply = gateway.vote(token, event())
    assert (reply.status, "retry-after" in reply.headers) == (503, True)
    assert gateway.call(gateway.admin, "GET", "/readyz").status == 503
    answered = gateway.ask("q", session="s")
    assert (answered.status, "x-feedback-token" in answered.headers) == (200, False)


def test_without_its_configuration_source_it_starts_with_the_last_one(gateway: Gateway) -> None:
    revision = gateway.status()["revision"]
    gateway.kill()
    gateway.config_path.unlink()
    gateway.start()
    assert gateway.status()["revision"] == revision


PLANTED = "zq-planted-7f3a"


def plant(gateway: Gateway) -> None:
    """Sends the planted word by every way in, good and bad."""
    token = gateway.token(
        messages=[{"role": "user", "content": f"{PLANTED} my mail is {PLANTED}@example.com"}],
        outputs=[{"output_id": f"{PLANTED}-o", "content": PLANTED}],
        session_id=f"{PLANTED}-session",
        subject_id=f"{PLANTED}-subject",
        raters=[f"{PLANTED}-rater"],
    )
    ask = gateway.ask(PLANTED, session=PLANTED, X_Subject_Id=PLANTED, X_Turn_Id=PLANTED, X_Segment=PLANTED)
    assert ask.status == 200
    for body in (
        event("note", PLANTED),
        event("fix", f"{PLANTED}@example.com"),
        event(PLANTED, PLANTED),
        event() | {PLANTED: PLANTED},
        event("helpful", {PLANTED: [PLANTED]}),
        event("helpful", True, output_id=PLANTED),
        PLANTED.encode(),
        json.dumps({"events": [PLANTED, {PLANTED: 1}]}).encode(),
    ):
        reply = gateway.vote(token, body)
        assert reply.status in (202, 400, 422)
        assert PLANTED.encode() not in reply.body
    assert gateway.interact(**{PLANTED: PLANTED}).status == 422
    assert gateway.vote(PLANTED, event()).status == 401
    gateway.call(gateway.app, "POST", f"/{PLANTED}", PLANTED.encode(), {"Authorization": PLANTED})
    gateway.call(gateway.app, "POST", "/v1/chat/completions", b"{" + PLANTED.encode())


def test_nothing_private_is_in_the_volume_the_objects_the_logs_the_status_or_the_metrics(
    gateway: Gateway, objects: S3Client
) -> None:
    plant(gateway)
    on_volume = [path.read_bytes() for path in gateway.volume.rglob("*") if path.is_file()]
    uploaded(gateway)
    on_volume += [path.read_bytes() for path in gateway.volume.rglob("*") if path.is_file()]
    keys = list(objects.list(gateway.prefix))
    assert {key.removeprefix(gateway.prefix).split("/")[0] for key in keys} == {"events", "badrows", "keys", "ledger"}
    places = [*on_volume, *(objects.get(key) for key in keys), *(key.encode() for key in keys)]
    places += [gateway.call(gateway.admin, "GET", path).body for path in ("/status", "/metrics", "/readyz", "/x")]
    gateway.terminate()
    places.append(gateway.log_path.read_bytes())
    assert not any(PLANTED.encode() in place for place in places)


def test_the_stored_records_hold_the_text_but_neither_address_nor_user(gateway: Gateway, objects: S3Client) -> None:
    plant(gateway)
    uploaded(gateway)
    text = repr(records(gateway, objects))
    assert PLANTED in text
    for word in ("@example.com", f"{PLANTED}-session", f"{PLANTED}-subject", f"{PLANTED}-rater"):
        assert word not in text


@pytest.mark.parametrize("member", ["storage/AWS_ACCESS_KEY_ID", "app/token"])
def test_rotated_secrets_are_taken_up(gateway: Gateway, member: str) -> None:
    path = gateway.root / "secrets" / member
    good = path.read_bytes()
    path.write_bytes(b"wrong")
    if member == "app/token":
        wait_for(lambda: gateway.interact().status == 401, "the old token is refused")
    else:
        gateway.interact(event_id=str(uuid.uuid4()))
        wait_for(lambda: gateway.status().get("storageError"), "the wrong key is refused")
    path.write_bytes(good)
    wait_for(lambda: gateway.interact().status == 202, "the new token is taken")
    assert uploaded(gateway)["stored"] >= 1
