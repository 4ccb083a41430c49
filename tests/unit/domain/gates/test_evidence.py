"""The canonical JSON of a gate follows from its own rows, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings

from feedbackloop.api.evaluation import Gate
from feedbackloop.domain.gates import Evidence, ItemRow
from feedbackloop.domain.gates.evidence import digest
from tests.unit.domain.gates.given import evidence, gate, pairs
from tests.unit.domain.gates.test_types import scored


@settings(deadline=None, max_examples=15)
@for_all(scored())
def test_a_document_read_back_is_the_document(given_: tuple[Gate, list[ItemRow]]) -> None:
    made = evidence(*given_)
    again = Evidence.of(json.loads(made.document()))
    assert again.document() == made.document()
    assert again.digest == digest(made.document())
    assert again.verdict == made.verdict


def test_counts_carry_the_digest_of_the_document_which_does_not_contain_itself() -> None:
    made = evidence(gate("Superiority"), pairs(gains=9))
    assert made.signed_counts().evidence_digest == made.digest
    assert made.digest not in made.document().decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["items"][0].update(candidate=False),
        lambda d: d["items"].pop(),
        lambda d: d["counts"].update(onlyCandidate=99),
        lambda d: d["verdict"].update(verdict="Failed"),
        lambda d: d.update(alpha=0.5),
    ],
)
def test_a_changed_document_no_longer_follows_from_its_rows(change: Any) -> None:
    wire = json.loads(evidence(gate("Superiority"), pairs(gains=9)).document())
    change(wire)
    changed = json.dumps(wire, sort_keys=True, separators=(",", ":")).encode()
    assert Evidence.of(wire).document() != changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schemaVersion=9), "schemaVersion: is 9"),
        (lambda d: d.pop("items"), "items: is missing"),
        (lambda d: d["gate"].pop("type"), "the gate or its suite is not valid"),
        (lambda d: d["items"][0].pop("id"), "a row has no id"),
    ],
)
def test_what_is_no_evidence_is_said_to_be_none(change: Any, said: str) -> None:
    wire = json.loads(evidence(gate("Superiority"), pairs(gains=9)).document())
    change(wire)
    with pytest.raises(ValueError, match=said):
        Evidence.of(wire)
