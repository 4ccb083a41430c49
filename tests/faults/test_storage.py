"""Object storage that is away, slow, refuses, lies, cuts and forgets: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbackloop.events.objects import S3Client
from tests.faults.clients import Clients, votes
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for
from tests.support import s3proxy
from tests.support.s3proxy import Fault, S3Proxy
from tests.support.seaweedfs import SeaweedFs

RSS_BYTES = (128 + 64) << 20


@pytest.fixture
def proxy(s3: SeaweedFs) -> Iterator[S3Proxy]:
    with S3Proxy(s3.url) as running:
        yield running


@pytest.fixture
def served(make_gateway: MakeGateway, proxy: S3Proxy) -> Gateway:
    """A gateway whose object storage is behind the proxy."""
    gateway = make_gateway()
    gateway.configure(gateway.config | {"storage": gateway.config["storage"] | {"url": proxy.url}})
    return gateway.start()


def rss(gateway: Gateway) -> int:
    """Resident bytes of the process."""
    return int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def hold(gateway: Gateway, objects: S3Client, sent: set[str]) -> None:
    """Everything that was sent is stored, once, and the status is clean."""
    status = uploaded(gateway, 90)
    found = votes(records(gateway, objects))
    assert sorted(found) == sorted(sent)
    assert status.get("storageError") is None
    assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]


def through(gateway: Gateway, proxy: S3Proxy, fault: Fault, names: set[str], seconds: float) -> set[str]:
    """Votes while a fault lasts; the error is named on the status. Returns what was sent."""
    clients = Clients(gateway, [gateway.token()])
    proxy.fault = fault
    end = time.monotonic() + seconds
    seen: set[str] = set()

    def named() -> bool:
        seen.add(str(gateway.status().get("storageError")))
        return bool(seen & names) and time.monotonic() > end

    with clients.running() as record:
        wait_for(clients.acknowledged, "votes are taken while the storage fails")
        wait_for(named, f"the status names one of {names}", seconds + 40)
        before = clients.acknowledged()
        wait_for(lambda: clients.acknowledged() > before, "votes are still taken")
        assert rss(gateway) < RSS_BYTES
        proxy.fault = s3proxy.none
    return set(record.sent)


LONG = pytest.mark.faults
FAULTS = [
    pytest.param(s3proxy.away, {"ConnectionClosedError", "EndpointConnectionError"}, 2, id="away"),
    pytest.param(s3proxy.away, {"ConnectionClosedError", "EndpointConnectionError"}, 60, id="away-long", marks=LONG),
    pytest.param(s3proxy.refused(503, "SlowDown", share=0.3), {"SlowDown"}, 8, id="slow-down", marks=LONG),
    pytest.param(s3proxy.reset_in_body, {"ConnectionClosedError"}, 2, id="reset-in-body", marks=LONG),
    pytest.param(s3proxy.lying, {"VerificationFailed", "ObjectMissing", "InternalError"}, 2, id="lying"),
    pytest.param(s3proxy.lost_answer, {"ConnectionClosedError"}, 2, id="lost-answer"),
    pytest.param(s3proxy.refused(403, "ExpiredToken"), {"ExpiredToken"}, 2, id="expired", marks=LONG),
    pytest.param(s3proxy.refused(403, "RequestTimeTooSkewed"), {"RequestTimeTooSkewed"}, 2, id="skewed", marks=LONG),
    pytest.param(s3proxy.refused(404, "NoSuchBucket"), {"NoSuchBucket"}, 2, id="bucket-deleted", marks=LONG),
    pytest.param(s3proxy.slow(5), {"None"}, 12, id="slow", marks=LONG),
]


@pytest.mark.parametrize(("fault", "names", "seconds"), FAULTS)
def test_votes_are_taken_while_storage_fails_and_are_stored_once_it_works(
    served: Gateway, proxy: S3Proxy, objects: S3Client, fault: Fault, names: set[str], seconds: float
) -> None:
    hold(served, objects, through(served, proxy, fault, names, seconds))


def test_an_object_that_is_there_already_is_compared_also_when_its_bytes_come_cut(
    served: Gateway, proxy: S3Proxy, objects: S3Client
) -> None:
    sent = through(served, proxy, s3proxy.lost_answer, {"ConnectionClosedError"}, 0)
    proxy.fault = s3proxy.cut_answer
    gets = proxy.requests["GET"]
    wait_for(lambda: proxy.requests["GET"] >= gets + 2, "objects are read back, cut")
    proxy.fault = s3proxy.none
    hold(served, objects, sent)
    assert b"upload_conflicts_total 0" in served.call(served.admin, "GET", "/metrics").body


def test_a_kill_in_the_middle_of_a_put_loses_nothing(served: Gateway, proxy: S3Proxy, objects: S3Client) -> None:
    held = s3proxy.Held()
    clients = Clients(served, [served.token()])
    proxy.fault = held
    with clients.running() as record:
        wait_for(held.is_holding.is_set, "a PUT is under way")
        os.kill(served.pid, signal.SIGKILL)
        served.wait()
        held.let_go()
        proxy.fault = s3proxy.none
        served.start()
        before = clients.acknowledged()
        wait_for(lambda: clients.acknowledged() > before, "votes are taken again")
    hold(served, objects, set(record.sent))
