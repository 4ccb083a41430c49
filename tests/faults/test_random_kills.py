"""At least two hundred SIGKILLs under load in one run: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import json
import os

import pytest

from feedbackloop.events.objects import S3Client
from tests.faults.killing import Killer
from tests.faults.zygote import Zygote
from tests.gateway.conftest import MakeGateway

KILLS = int(os.environ.get("FL_KILLS", "200"))


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_hundreds_of_kills_lose_nothing_and_store_nothing_twice(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Killer(make_gateway(), zygote, seed=4).run(KILLS, objects)
    with capsys.disabled():
        print(json.dumps(report.line()), flush=True)
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.sent == report.acknowledged
    assert report.kills >= KILLS
