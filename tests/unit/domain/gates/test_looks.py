"""Looks at the same items: counted once, spent, and used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from feedbackloop.api.evaluation import Evaluation
from feedbackloop.api.feedbackloop import SuiteLooks
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import Level, exhausted, level, levels, levels_of, looked, required_items, underpowered
from feedbackloop.domain.gates.power import items_for_power
from tests.unit.domain.gates.given import evidence, gate, pairs, suite

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AT = "2026-11-24T00:00:00Z"
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "e" * 64
GATE = gate("NonInferiority", "0.05")


def looks(count: int, digest: str = DIGEST) -> tuple[SuiteLooks, ...]:
    return (SuiteLooks(digest=digest, suite="golden", looks=count, last_at=AT),)


def evaluation(**gates: str) -> Evaluation:
    """One golden suite that spends two looks, and a gate on it for each effect."""
    declared = [
        {"name": name, "suite": "golden", "type": "NonInferiority", "margin": "0.05", "effect": effect}
        for name, effect in gates.items()
    ]
    suites = [suite(reuse="Spend", looks=2).to_wire(), {"name": "own", "source": {"acceptedCorrections": {}}}]
    required = {"name": "r", "suite": "own", "type": "Superiority"}
    return Evaluation.model_validate({"suites": suites, "gates": [*declared, required]})


def result(look: int, digest: str = DIGEST) -> GateResult:
    return evidence(gate("NoNewFailures"), pairs(both=2), suite_digest=digest, level=Level(0.05, look)).verdict


def test_counting_keeps_alpha_and_says_which_look_it_is() -> None:
    assert level(GATE, suite(), DIGEST, looks(40)) == Level(0.05, 41)
    assert level(GATE, suite(), OTHER, looks(40)) == Level(0.05, 1)
    assert level(GATE, suite(), "", looks(40)) == Level(0.05)


def test_spending_shares_alpha_among_the_looks_and_ends_after_the_last() -> None:
    spend = suite(reuse="Spend", looks=4)
    assert [level(GATE, spend, DIGEST, looks(n)).alpha for n in range(4)] == [0.0125] * 4
    assert [level(GATE, spend, DIGEST, looks(n)).exhausted for n in (2, 3, 4, 9)] == [False, False, True, True]


def test_each_gate_is_judged_at_the_level_of_the_items_that_it_was_counted_on() -> None:
    """Of a task of lm-evaluation-harness the gate on the model's size has no items, and so no look."""
    declared = evaluation(kept="Required", also="Required")
    counts = {"kept": GateCounts(name="kept", suite="golden", n=1, suite_digest=DIGEST)}
    found = levels_of(declared, counts, looks(1))
    assert (found["kept"].look, found["also"].look, found["r"].look) == (2, 0, 0)


def test_no_gate_passes_on_items_that_are_used_up() -> None:
    used = level(GATE, suite(reuse="Spend", looks=4), DIGEST, looks(4))
    found = evidence(GATE, pairs(both=500), level=used).verdict
    assert found.verdict is Verdict.ERROR
    assert found.message == "the suite has decided 4 times, its refresh policy allows 4; give it new items"


def test_a_used_up_suite_is_named_before_anything_is_trained() -> None:
    required = evaluation(kept="Required")
    assert exhausted(required, levels(required, {}, looks(1))) == ""
    said = exhausted(required, levels(required, {}, looks(2)))
    assert said == "suite golden has decided 2 times, its refresh policy allows 2: give it new items"


def test_an_advisory_gate_on_a_used_up_suite_holds_nobody_up() -> None:
    advisory = evaluation(kept="Advisory")
    assert exhausted(advisory, levels(advisory, {}, looks(2))) == ""


def test_a_smaller_alpha_needs_more_items_before_training() -> None:
    at = {"g": level(GATE, suite(reuse="Spend"), DIGEST, ())}
    assert required_items(GATE, at["g"]) == 107
    assert underpowered([GATE], {"golden": 106}, at)[0].required == 107
    assert underpowered([GATE], {"golden": 107}, at) == ()


def test_a_suite_whose_size_only_the_evaluation_sees_is_not_called_too_small() -> None:
    assert underpowered([GATE], {}) != ()
    assert underpowered([GATE], {}, unknown=frozenset({"golden"})) == ()


@pytest.mark.parametrize(
    ("declared", "required"),
    [
        (gate("Bootstrap", "1", metric="toxicity"), 50),
        (gate("Limit", "9", metric="latency_ms"), 59),
        (gate("Limit", "9", metric="model_bytes"), 0),
        (gate("Ceiling", "0.01"), 299),
    ],
)
def test_what_each_type_needs(declared: object, required: int) -> None:
    assert required_items(declared) == required  # type: ignore[arg-type]


def test_items_that_share_intents_count_as_their_intents() -> None:
    assert underpowered([GATE], {"golden": 120, "golden#intents": 60}) == ()
    (short,) = underpowered([GATE], {"golden": 120, "golden#intents": 40})
    assert str(short) == "gate g: golden has 40 intents, at least 59 are needed"


def test_a_look_is_counted_once_however_often_it_is_taken() -> None:
    once = looked((), [result(1), result(1)], NOW)
    assert [(entry.digest, entry.suite, entry.looks) for entry in once] == [(DIGEST, "golden", 1)]
    assert looked(once, [result(1)], NOW + timedelta(days=1)) == once
    twice = looked(once, [result(2)], NOW + timedelta(days=1))
    assert [(entry.looks, entry.last_at) for entry in twice] == [(2, "2026-11-25T00:00:00Z")]


def test_results_without_a_digest_are_not_counted() -> None:
    assert looked((), [result(1, ""), result(0)], NOW) == ()


def test_other_items_begin_anew_and_the_oldest_are_forgotten_at_last() -> None:
    entries: tuple[SuiteLooks, ...] = ()
    for day in range(40):
        entries = looked(entries, [result(1, f"sha256:{day:064x}")], NOW + timedelta(days=day))
    assert len(entries) == 32
    assert min(entry.digest for entry in entries) == f"sha256:{8:064x}"


@settings(max_examples=30)
@for_all(st.lists(st.sampled_from([DIGEST, OTHER]), max_size=8), st.data())
def test_runs_one_after_another_are_counted_exactly(digests: list[str], data: st.DataObject) -> None:
    entries: tuple[SuiteLooks, ...] = ()
    for digest in digests:
        found = result(level(GATE, suite(), digest, entries).look, digest)
        for _ in range(data.draw(st.integers(1, 3))):
            entries = looked(entries, [found], NOW)
    assert {entry.digest: entry.looks for entry in entries} == {d: digests.count(d) for d in set(digests)}


def test_churn_asks_for_more_items_and_none_for_the_fewest_that_can_show_anything() -> None:
    needed = [items_for_power(0.05, 0.05, churned) for churned in (0.0, 0.02, 0.05, 0.1, 0.2)]
    assert needed == [59, 138, 210, 336, 608]
    assert items_for_power(0.05, 0.05 / 12, 0.05) > needed[2]
