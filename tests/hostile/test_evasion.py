"""PII evasion: all cases are sent, everything is uploaded, and the records are read as a job reads them."""

from __future__ import annotations

import msgspec
import pytest

from feedbackloop.events import store
from tests.gateway.stored import all_records, keyring, uploaded
from tests.hostile import aftermath
from tests.hostile.case import Case
from tests.hostile.cases.evasion import CASES, send_all
from tests.hostile.classes import check, parameters
from tests.hostile.world import World


@pytest.fixture(scope="module", autouse=True)
def sent(world: World) -> None:
    """Every case is in object storage, and what is stored is known in the clear."""
    send_all(world)
    uploaded(world.gateway)
    gateway = world.gateway
    bad_rows = store.read_badrows(world.objects, gateway.prefix, keyring(gateway))
    found = [*all_records(gateway, world.objects), *bad_rows]
    world.stored = [msgspec.json.encode(record).decode() for record in found]


@pytest.mark.parametrize("case", parameters(CASES))
def test_case(case: Case, world: World) -> None:
    check(case, world)


def test_afterwards(world: World) -> None:
    aftermath.holds(world, CASES)
