"""Bursts that the disk does not keep up with: memory stays bounded, what is too much is told so before it is parsed."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from feedbackloop.events.objects import S3Client
from tests.faults.clients import Connection, votes
from tests.faults.failing_disk import Control
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import ROOT, Gateway
from tests.gateway.stored import records, uploaded

BOUND_KIB = (128 + 64) << 10
CLIENTS, EVENTS, TEXT = 600, 50, "abcdefgh " * 440


def peak_kib(gateway: Gateway) -> int:
    """The most resident memory that the process ever had."""
    lines = Path(f"/proc/{gateway.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


async def burst(gateway: Gateway, token: str) -> list[tuple[int, list[str]]]:
    """One large request of each client at the same time: the status and the ids of each."""

    async def one() -> tuple[int, list[str]]:
        ids = [str(uuid.uuid4()) for _ in range(EVENTS)]
        events = [{"event_id": event_id, "signal": "note", "value": TEXT} for event_id in ids]
        try:
            connection = await Connection.open(gateway.feedback)
            status, _ = await connection.post("/v1/feedback", token, json.dumps({"events": events}).encode())
        except (OSError, asyncio.IncompleteReadError):
            return 0, ids  # refused while its body was still on the way
        return status, ids

    return await asyncio.gather(*(one() for _ in range(CLIENTS)))


@pytest.mark.faults
def test_a_burst_on_a_stalling_disk_stays_within_the_bound_and_loses_nothing_acknowledged(
    make_gateway: MakeGateway, objects: S3Client, tmp_path: Path
) -> None:
    control = Control(tmp_path / "disk.json")
    gateway = make_gateway(env={"FL_TEST_DISK": str(control.path), "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"})
    gateway.module = "tests.faults.faulty"
    gateway.start()
    token = gateway.token()
    control.fail(stall=2.0, **{"in": ".seg"})
    answers = asyncio.run(burst(gateway, token))
    control.well()
    statuses = [status for status, _ in answers]
    assert set(statuses) <= {0, 202, 503}
    assert 202 in statuses
    uploaded(gateway, 120)
    found = votes(records(gateway, objects))
    acknowledged = {event_id for status, ids in answers if status == 202 for event_id in ids}
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    print({status: statuses.count(status) for status in set(statuses)}, f"peak {peak_kib(gateway) >> 10} MiB")
    assert peak_kib(gateway) < BOUND_KIB
