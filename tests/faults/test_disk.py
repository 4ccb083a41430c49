"""Disks that are full, fail, stall or turn read-only: what is answered 202 is kept, and service returns by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.events.objects import S3Client
from tests.faults.clients import Clients, votes
from tests.faults.failing_disk import Control
from tests.faults.zygote import Zygote
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import Gateway, event
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for
from tests.support import s3proxy
from tests.support.s3proxy import S3Proxy
from tests.support.seaweedfs import SeaweedFs


@pytest.fixture
def failing(make_gateway: MakeGateway, zygote: Zygote) -> tuple[Gateway, Control]:
    """A started gateway on a disk that can be made to fail."""
    gateway = make_gateway()
    control = Control(gateway.root / "disk.json")
    gateway.adopt(zygote.spawn(gateway, FL_TEST_DISK=str(control.path)))
    wait_for(gateway.is_ready, "the gateway is ready")
    return gateway, control


def hold(gateway: Gateway, objects: S3Client, sent: set[str]) -> dict[str, Any]:
    status = uploaded(gateway, 90)
    assert sorted(votes(records(gateway, objects))) == sorted(sent)
    assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]
    return status


ERRORS = [
    pytest.param({"errno": "ENOSPC", "in": ".seg", "keep": 100}, "DiskFull", id="full-after-a-short-write"),
    pytest.param({"errno": "EIO", "in": ".seg", "keep": 1 << 30}, "WriteFailed", id="sync-fails"),
    pytest.param({"errno": "EROFS"}, "WriteFailed", id="read-only", marks=pytest.mark.faults),
]


@pytest.mark.parametrize(("fault", "reason"), ERRORS)
def test_a_failing_write_is_answered_503_named_and_over_when_the_disk_works_again(
    failing: tuple[Gateway, Control], objects: S3Client, fault: dict[str, Any], reason: str
) -> None:
    gateway, control = failing
    token = gateway.token()
    clients = Clients(gateway, [token])
    with clients.running() as record:
        wait_for(clients.acknowledged, "votes are taken")
        control.fail(**fault)
        wait_for(lambda: record.statuses.get(503), "votes are refused")
        wait_for(lambda: gateway.status().get("logError") == reason, "the status names it")
        reply = gateway.vote(token, event("note", "x"))
        assert (reply.status, "retry-after" in reply.headers) == (503, True)
        assert gateway.call(gateway.admin, "GET", "/readyz").status == 503
        control.well()
        before = clients.acknowledged()
        wait_for(lambda: clients.acknowledged() > before, "votes are taken again")
    assert hold(gateway, objects, set(record.sent)).get("logError") is None


def test_a_log_that_failed_is_ready_again_without_a_request(failing: tuple[Gateway, Control]) -> None:
    gateway, control = failing
    token = gateway.token()
    control.fail(errno="EIO", **{"in": ".seg"})
    wait_for(lambda: gateway.vote(token, event("note", "x")).status == 503, "votes are refused")
    control.well()
    wait_for(gateway.is_ready, "it is ready again")


@pytest.mark.faults
def test_stalls_hold_answers_up_and_lose_nothing(failing: tuple[Gateway, Control], objects: S3Client) -> None:
    gateway, control = failing
    clients = Clients(gateway, [gateway.token()])
    with clients.running() as record:
        wait_for(clients.acknowledged, "votes are taken")
        control.fail(stall=2.0, **{"in": ".seg"})
        before = clients.acknowledged()
        wait_for(lambda: clients.acknowledged() >= before + 20, "votes are taken, slowly", 60)
        assert gateway.call(gateway.admin, "GET", "/livez").status == 200
        control.well()
    assert 503 not in record.statuses
    hold(gateway, objects, set(record.sent))


def test_a_full_disk_whose_markers_do_not_fit_gives_its_ballast_up(
    failing: tuple[Gateway, Control], objects: S3Client
) -> None:
    gateway, control = failing
    token = gateway.token()
    vote = event("note", "x")
    assert gateway.vote(token, vote).status == 202
    control.fail(errno="ENOSPC")
    wait_for(lambda: not (gateway.volume / "ballast").exists(), "the ballast is given up")
    wait_for(lambda: gateway.status().get("logError") == "DiskFull", "the status names it")
    assert gateway.vote(token, event("note", "y")).status == 503
    control.well()
    wait_for((gateway.volume / "ballast").exists, "the ballast is made again")
    wait_for(gateway.is_ready, "it is ready again")
    hold(gateway, objects, {vote["event_id"]})


def test_a_volume_that_is_full_at_its_start_takes_again_once_storage_is_there(
    make_gateway: MakeGateway, s3: SeaweedFs, objects: S3Client
) -> None:
    gateway = make_gateway(env={"FL_VOLUME_BYTES": str(512 << 10)})
    with S3Proxy(s3.url) as proxy:
        gateway.configure(gateway.config | {"storage": gateway.config["storage"] | {"url": proxy.url}})
        gateway.start()
        tokens = [gateway.token()]
        proxy.fault = s3proxy.away
        clients = Clients(gateway, tokens, size=4000)
        with clients.running() as record:
            wait_for(lambda: record.statuses.get(503), "the volume is full", 60)
            gateway.kill()
            gateway.start()
            wait_for(lambda: gateway.status().get("logError") == "VolumeFull", "it is full at its start")
            assert gateway.vote(tokens[0], event("note", "x")).status == 503
            proxy.fault = s3proxy.none
        hold(gateway, objects, set(record.sent))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 24 MiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(mount)], check=False).returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


@pytest.mark.faults
def test_a_real_file_system_that_fills_up_is_emptied_by_uploads(
    make_gateway: MakeGateway, s3: SeaweedFs, objects: S3Client, small_disk: Path
) -> None:
    gateway = make_gateway(env={"FL_VOLUME": str(small_disk), "FL_VOLUME_BYTES": str(128 << 20)})
    gateway.volume = small_disk
    with S3Proxy(s3.url) as proxy:
        gateway.configure(gateway.config | {"storage": gateway.config["storage"] | {"url": proxy.url}})
        gateway.start()
        clients = Clients(gateway, [gateway.token()], size=4000, connections=16)
        proxy.fault = s3proxy.away
        with clients.running() as record:
            wait_for(lambda: gateway.status().get("logError") == "DiskFull", "the disk is full", 120)
            left = os.statvfs(small_disk)
            assert left.f_bavail * left.f_frsize < 1 << 20
            proxy.fault = s3proxy.none
            before = clients.acknowledged()
            wait_for(lambda: clients.acknowledged() > before, "votes are taken again", 60)
        hold(gateway, objects, set(record.sent))
        assert (small_disk / "ballast").exists()
    gateway.kill()
