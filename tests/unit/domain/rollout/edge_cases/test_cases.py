"""No edge case is without a test, and no entry of the list points to nothing."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from functools import cache

import pytest
import yaml

from feedbackloop.api.rollout import Rollout
from feedbackloop.domain.rollout.windows import opening
from tests.unit.domain.rollout.edge_cases.cases import EDGE_CASES, EdgeCase
from tests.unit.domain.rollout.edge_cases.listed import DOCUMENT, ROOT, written


@cache
def collected(path: str) -> frozenset[str]:
    """The names of the tests that pytest would collect from a file, by its syntax: other layers are not imported."""
    tree = ast.parse((ROOT / path).read_text())
    functions = (n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(f.name for f in functions if f.name.startswith("test_"))


def test_every_number_from_1_to_46_has_its_entry() -> None:
    assert [case.number for case in EDGE_CASES] == list(range(1, 47))


@pytest.mark.parametrize("case", EDGE_CASES, ids=lambda case: str(case.number))
def test_every_entry_points_to_tests_that_are_there(case: EdgeCase) -> None:
    assert case.tests
    for test in case.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).is_file(), f"{case.number}: there is no {path}"
        assert name in collected(path), f"{case.number}: {path} has no {name}"


def test_the_documented_steps_and_windows_are_valid() -> None:
    example = yaml.safe_load(DOCUMENT.read_text().split("```yaml")[1].split("```")[0])["rollout"]
    outcome = {"name": "downvotes", "signal": "helpful", "attributionWindowSeconds": 60, "minRatedUnits": 1}
    spec = Rollout.model_validate(example | {"outcomes": [outcome]})
    assert not opening(spec.windows, datetime(2026, 12, 21, 10, tzinfo=UTC)).error


def test_the_list_in_the_documentation_is_this_one() -> None:
    document = DOCUMENT.read_text()
    assert written(document) == document, "run python -m tests.unit.domain.rollout.edge_cases.listed"
