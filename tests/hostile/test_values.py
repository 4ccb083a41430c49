"""Values and schema: every case, and what must hold after all of them."""

from __future__ import annotations

import pytest

from tests.hostile import aftermath
from tests.hostile.case import Case
from tests.hostile.cases.values import CASES
from tests.hostile.classes import check, parameters
from tests.hostile.world import World


@pytest.mark.parametrize("case", parameters(CASES))
def test_case(case: Case, world: World) -> None:
    check(case, world)


def test_afterwards(world: World) -> None:
    aftermath.holds(world, CASES)
