"""The lists themselves: enough cases, ids of their own, and a document that shows them all."""

from __future__ import annotations

from tests.hostile.cases import all_cases
from tests.hostile.classes import LEAST
from tests.hostile.list import DOCUMENT, document


def test_every_class_has_enough_cases_with_ids_of_their_own() -> None:
    ids = [case.id for cases in all_cases().values() for case in cases]
    assert len(set(ids)) == len(ids)
    assert all(len(cases) >= LEAST for cases in all_cases().values())


def test_the_document_shows_the_lists() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.hostile.list"
