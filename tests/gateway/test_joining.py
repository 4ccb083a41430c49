"""A fresh volume: what it waits for, and that a lost volume loses nothing that was uploaded."""

from __future__ import annotations

import shutil

from feedbackloop.events.objects import S3Client
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event, free_port
from tests.gateway.stored import all_records, records, uploaded
from tests.gateway.waiting import wait_for


def waiting_message(gateway: Gateway) -> str:
    reply = gateway.call(gateway.admin, "GET", "/readyz")
    assert reply.status == 503
    return str(reply.json()["error"]["message"])


def test_a_fresh_volume_waits_for_object_storage_and_says_so(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    there = gateway.config
    gateway.configure(there | {"storage": there["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}})
    gateway.start(ready=False)
    wait_for(gateway.is_up, "the admin port answers")
    wait_for(lambda: "needs object storage once" in waiting_message(gateway), "it says what it waits for")
    assert "waiting: a fresh volume needs object storage once" in gateway.log_path.read_text()
    gateway.configure(there)
    wait_for(gateway.is_ready, "it is ready")
    assert gateway.vote(gateway.token(), event()).status == 202


def test_a_pod_that_waits_ends_when_it_is_told_to(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    away = gateway.config["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}
    gateway.configure(gateway.config | {"storage": away})
    gateway.start(ready=False)
    wait_for(gateway.is_up, "the admin port answers")
    assert gateway.terminate() == 0


def test_a_lost_volume_goes_on_after_what_was_uploaded(gateway: Gateway, objects: S3Client) -> None:
    token = gateway.token(consent={"train": True})
    for _ in range(3):
        assert gateway.vote(token, event()).status == 202
    assert gateway.vote(token, event("unheard of")).status == 422
    before = uploaded(gateway)
    assert (before["stored"], before["uploaded"]["trainable"]) == (4, 3)
    gateway.kill()
    shutil.rmtree(gateway.volume)
    gateway.start()
    assert gateway.status()["stored"] == 4
    assert gateway.status()["uploaded"]["trainable"] == 3
    assert gateway.vote(token, event()).status == 202, "the loop's secret outlives the volume"
    assert gateway.vote(token, event("unheard of")).status == 422
    after = uploaded(gateway)
    assert after["uploaded"]["trainable"] == 4
    assert (after["stored"], after["badRows"]) == (5, 2)
    assert [record.seq for record in all_records(gateway, objects)] == list(range(1, after["uploaded"]["offset"] + 1))
    assert len(records(gateway, objects)) == 5
    assert b"upload_conflicts_total 0" in gateway.call(gateway.admin, "GET", "/metrics").body


def test_with_its_place_known_a_volume_starts_without_object_storage(make_gateway: MakeGateway) -> None:
    gateway = make_gateway().start()
    there = gateway.config
    gateway.kill()
    gateway.configure(there | {"storage": there["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}})
    gateway.start()
    assert gateway.vote(gateway.token(), event()).status == 202
