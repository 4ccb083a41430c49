"""The cases, one module a class."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from tests.hostile.case import CLASSES, Case


def all_cases() -> dict[str, Sequence[Case]]:
    """Every class with its cases."""
    return {name: importlib.import_module(f"tests.hostile.cases.{name}").CASES for name in CLASSES}
