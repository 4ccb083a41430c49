"""A gateway that dies at each point of a record's way: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import pytest

from feedbackloop.events.objects import S3Client
from feedbackloop.gateway.failpoints import PLACES, Failpoint
from tests.faults.killing import Killer
from tests.faults.zygote import Zygote
from tests.gateway.conftest import MakeGateway

PASSES = {
    "accept": 5,
    "mid-body": 40,
    "decoded": 40,
    "appended": 20,
    "mid-write": 20,
    "before-sync": 20,
    "synced": 20,
    "answered": 40,
    "roll": 2,
    "created": 2,
    "put": 1,
    "indexed": 1,
    "checkpointed": 1,
}
"""At which pass each point kills; those of the uploader are passed once a segment."""

IN_CI = {"mid-write", "before-sync", "created", "checkpointed"}
OTHERS = {"recovery", "shard-cas"}
"""The first has a test below, the other one beside the tests of keys."""


@pytest.mark.parametrize(
    "place", [pytest.param(place, marks=() if place in IN_CI else pytest.mark.faults) for place in PASSES]
)
def test_a_death_at_any_point_loses_nothing_and_stores_nothing_twice(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote, place: str
) -> None:
    report = Killer(make_gateway(), zygote, seed=1).die_at(f"{place}:{PASSES[place]}", objects)
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.sent == report.acknowledged


def test_two_deaths_during_recovery_lose_nothing_and_store_nothing_twice(
    make_gateway: MakeGateway, objects: S3Client, zygote: Zygote
) -> None:
    report = Killer(make_gateway(), zygote, seed=1).die_at("recovery", objects, times=2)
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.sent == report.acknowledged


def test_every_place_is_died_at() -> None:
    assert set(PLACES) == set(PASSES) | OTHERS


def test_a_failpoint_fires_at_its_pass_and_only_there() -> None:
    deaths: list[int] = []
    point = Failpoint("synced:3", lambda: deaths.append(1))
    for place in ("synced", "put", "synced", "put"):
        point.reached(place)
    assert deaths == []
    point.reached("synced")
    assert deaths == [1]


@pytest.mark.parametrize("setting", ["nowhere", "synced:0", "synced:x"])
def test_a_failpoint_that_does_not_exist_is_an_error(setting: str) -> None:
    with pytest.raises(ValueError, match=r"FL_FAILPOINT|invalid literal"):
        Failpoint(setting, lambda: None)
