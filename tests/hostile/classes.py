"""How a class of cases becomes tests."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.hostile.case import Case
from tests.hostile.world import World

LEAST = 20
"""Cases a class."""


def parameters(cases: Sequence[Case]) -> list[object]:
    """The cases as pytest takes them; a broken one must fail."""
    return [
        pytest.param(
            case, id=case.id, marks=[pytest.mark.xfail(strict=True, reason=case.broken)] if case.broken else []
        )
        for case in cases
    ]


def check(case: Case, world: World) -> None:
    """Runs one case."""
    seen = case.act(world)
    assert case.passes(seen), f"{case.id} ({case.what}): expected {case.expected}, saw {seen!r}"
