"""Storage and crypto: every case, on the objects of a real gateway in a real S3 and on copies of a real volume."""

from __future__ import annotations

import pytest

from tests.gateway.stored import uploaded
from tests.hostile import aftermath, volumes
from tests.hostile.case import Case
from tests.hostile.cases.storage import CASES
from tests.hostile.classes import check, parameters
from tests.hostile.world import World


@pytest.fixture(scope="module", autouse=True)
def stored(world: World) -> None:
    """Three segments of events and of bad rows in object storage, and a volume that was never uploaded."""
    for _ in range(3):
        token = world.token(subject_id=world.canary(), consent={"train": True})
        assert world.post(world.event(), token=token).status == 202
        assert world.post(world.event("helpful", world.canary()), token=token).status == 422
        world.notes["offset"] = uploaded(world.gateway)["uploaded"]["offset"]
    world.notes["template"] = volumes.make(world)


@pytest.mark.parametrize("case", parameters(CASES))
def test_case(case: Case, world: World) -> None:
    check(case, world)


def test_afterwards(world: World) -> None:
    aftermath.holds(world, CASES)
    for path in world.notes["logs"]:
        content = path.read_bytes()
        assert not any(canary.encode() in content for canary in world.canaries), f"a canary in {path}"
        assert b"Traceback" not in content, f"an exception was not caught: {path}"
