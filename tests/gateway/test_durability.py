"""`durability: ObjectStore`: a 2xx means stored in S3; and the law of the log, seen from both sides."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for
from tests.support import s3proxy
from tests.support.s3proxy import S3Proxy
from tests.support.seaweedfs import SeaweedFs


@pytest.fixture
def proxy(s3: SeaweedFs) -> Iterator[S3Proxy]:
    with S3Proxy(s3.url) as running:
        yield running


@pytest.fixture
def storing(make_gateway: MakeGateway, proxy: S3Proxy) -> Gateway:
    """A gateway that answers when it is stored; nothing else would be uploaded within the hour."""
    gateway = make_gateway()
    collection = gateway.config["collection"] | {"durability": "ObjectStore", "flushSeconds": 3600}
    storage = gateway.config["storage"] | {"url": proxy.url}
    gateway.configure(gateway.config | {"storage": storage, "collection": collection})
    return gateway.start()


def stored_ids(gateway: Gateway, objects: S3Client) -> list[str]:
    return [record.event_id for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]


def test_what_was_answered_outlives_the_loss_of_the_volume(storing: Gateway, objects: S3Client) -> None:
    token, votes = storing.token(), [event("note", f"n-{number}") for number in range(20)]
    for vote in votes:
        reply = storing.vote(token, vote)
        assert (reply.status, reply.headers.get("feedback-durability")) == (202, "object-store")
    storing.kill()
    shutil.rmtree(storing.volume)
    storing.start()
    assert sorted(stored_ids(storing, objects)) == sorted(vote["event_id"] for vote in votes)


def test_while_storage_is_away_nothing_is_acknowledged_and_a_retry_is_once(
    storing: Gateway, proxy: S3Proxy, objects: S3Client
) -> None:
    token, vote = storing.token(), event("note", "x")
    proxy.fault = s3proxy.away
    reply = storing.vote(token, vote)
    assert (reply.status, "retry-after" in reply.headers) == (503, True)
    at_once = storing.vote(token, event("note", "y"))
    assert (at_once.status, storing.status()["logError"]) == (503, "StorageUnavailable")
    proxy.fault = s3proxy.none
    again = wait_for(lambda: (got := storing.vote(token, vote)).status == 202 and got, "the retry is taken", 60)
    assert again.json() == {"accepted": 0, "duplicate": 1, "rejected": []}
    uploaded(storing)
    assert stored_ids(storing, objects) == [vote["event_id"]]
    wait_for(lambda: storing.status().get("logError") is None, "the log takes again")
    assert storing.status()["lawDifference"] == 0


def test_a_restart_answers_no_repetition_before_it_is_stored(storing: Gateway, proxy: S3Proxy) -> None:
    token, vote = storing.token(), event("note", "x")
    proxy.fault = s3proxy.away
    assert storing.vote(token, vote).status == 503
    storing.kill()
    storing.start()
    assert storing.vote(token, vote).status == 503
    assert storing.status()["logError"] == "CatchingUp"
    proxy.fault = s3proxy.none
    wait_for(lambda: storing.vote(token, vote).status == 202, "it is answered once it is stored", 60)


def test_the_promise_may_be_changed_while_it_runs(gateway: Gateway, objects: S3Client) -> None:
    token, first, second = gateway.token(), event("note", "a"), event("note", "b")
    assert gateway.vote(token, first).headers["feedback-durability"] == "fsync"
    slow = gateway.config["collection"] | {"flushSeconds": 3600}
    gateway.configure(gateway.config | {"collection": slow | {"durability": "ObjectStore"}})
    wait_for(lambda: gateway.vote(token, first).headers.get("feedback-durability") == "object-store", "it is changed")
    assert wait_for(lambda: gateway.vote(token, second).status == 202, "it is taken")
    assert sorted(stored_ids(gateway, objects)) == sorted((first["event_id"], second["event_id"]))
    gateway.configure(gateway.config | {"collection": slow})
    wait_for(lambda: gateway.vote(token, first).headers.get("feedback-durability") == "fsync", "it is changed back")


def test_the_law_holds_over_good_bad_repeated_and_refused_events(gateway: Gateway) -> None:
    token, vote = gateway.token(), event("note", "x")
    assert gateway.vote(token, {"events": [vote, event("stars", 1), event()]}).status == 202
    assert gateway.vote(token, vote).status == 202
    assert gateway.vote(token, event("nothing", 1)).status == 422
    assert gateway.ask("q", session="s").status == 200
    body = gateway.call(gateway.admin, "GET", "/metrics").body
    assert b"feedbackloop_gateway_law_difference 0\n" in body
    status = gateway.status()
    assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]


def test_sigterm_uploads_what_is_left(gateway: Gateway, objects: S3Client) -> None:
    slow = gateway.config["collection"] | {"flushSeconds": 3600}
    gateway.configure(gateway.config | {"collection": slow})
    token, vote = gateway.token(), event("note", "x")
    wait_for(lambda: gateway.status()["revision"], "it runs")
    assert gateway.vote(token, vote).status == 202
    assert gateway.terminate() == 0
    assert list((gateway.volume / "wal").glob("*.seg")) == []
    gateway.start()
    assert stored_ids(gateway, objects) == [vote["event_id"]]
