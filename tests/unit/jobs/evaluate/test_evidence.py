"""What was measured first is what is judged, and nothing is judged that does not follow from its rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.domain.gates import Evidence
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.evaluate.evidence import keep, seed
from feedbackloop.jobs.storage import Store
from tests.unit.domain.gates.given import evidence, gate, pairs
from tests.unit.jobs.memory import MemoryS3

PREFIX = "runs/evaluate-0123456789ab/"


def kept(store: Store, made: Evidence) -> Evidence:
    return keep(store, PREFIX, made)


def test_an_attempt_that_comes_later_takes_what_the_first_one_measured() -> None:
    store, of = MemoryS3().store(), gate("Superiority")
    first = kept(store, evidence(of, pairs(gains=9)))
    second = kept(store, evidence(of, pairs(gains=3, losses=6)))
    assert second.verdict == first.verdict
    assert second.digest == first.digest
    assert store.get(f"{PREFIX}gates/g.json") == first.document()


@pytest.mark.parametrize("found", [b"{}", b"not json"])
def test_something_else_in_its_place_is_refused(found: bytes) -> None:
    store = MemoryS3().store()
    store.put(f"{PREFIX}gates/g.json", found)
    with pytest.raises(InvalidDataset, match="is no gate's evidence"):
        kept(store, evidence(gate("Superiority"), pairs(gains=9)))


def test_a_document_that_was_changed_is_refused() -> None:
    store, made = MemoryS3().store(), evidence(gate("Superiority"), pairs(gains=9))
    wire: dict[str, Any] = json.loads(made.document())
    wire["verdict"]["verdict"] = "Failed"
    store.put(f"{PREFIX}gates/g.json", json.dumps(wire).encode())
    with pytest.raises(InvalidDataset, match="does not follow from its own rows"):
        kept(store, made)


def test_the_bootstraps_seed_belongs_to_run_and_gate() -> None:
    assert seed("evaluate-1", "a") == seed("evaluate-1", "a")
    assert len({seed(run, name) for run in ("evaluate-1", "evaluate-2") for name in "ab"}) == 4
