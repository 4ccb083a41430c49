"""Power loss under load: only what was synced is left, and that is everything that was acknowledged."""

from __future__ import annotations

import shutil

import pytest

from feedbackloop.events.objects import S3Client
from tests.faults import power
from tests.faults.killing import Killer
from tests.faults.zygote import Zygote
from tests.gateway.conftest import MakeGateway


def losing(make_gateway: MakeGateway, zygote: Zygote, **env: str) -> Killer:
    """A gateway whose volume loses at each kill what was not synced."""
    gateway = make_gateway()
    shadow = gateway.root / "shadow"
    return Killer(
        gateway,
        zygote,
        seed=3,
        env={"FL_TEST_SHADOW": str(shadow)} | env,
        between=lambda chance: power.lose(gateway.volume, shadow, chance),
    )


@pytest.mark.parametrize("losses", [4, pytest.param(60, marks=pytest.mark.faults)])
def test_power_losses_lose_nothing_acknowledged_and_store_nothing_twice(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote, losses: int
) -> None:
    report = losing(make_gateway, zygote).run(losses, objects)
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.sent == report.acknowledged


def test_without_the_sync_the_same_test_finds_lost_events(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote
) -> None:
    report = losing(make_gateway, zygote, FL_TEST_NO_SYNC="1").run(4, objects, strict=False)
    assert report.lost > 0


@pytest.mark.faults
def test_with_durability_object_store_the_loss_of_whole_volumes_loses_nothing_acknowledged(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote
) -> None:
    """A vote that was stored and not answered may be stored again: the ids went with the volume, curation has them."""
    gateway = make_gateway()
    collection = gateway.config["collection"] | {"durability": "ObjectStore"}
    gateway.configure(gateway.config | {"collection": collection})
    killer = Killer(gateway, zygote, seed=8, between=lambda _chance: shutil.rmtree(gateway.volume))
    report = killer.run(20, objects, strict=False)
    assert report.lost == 0
    assert report.acknowledged == report.sent
