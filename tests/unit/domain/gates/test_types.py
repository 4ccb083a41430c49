"""Every type of gate on scored items: what it shows, and that it fails closed."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import ItemRow, Level, decides, judge
from feedbackloop.domain.gates.counting import count, quantile
from tests.unit.domain.gates import given
from tests.unit.domain.gates.given import evidence, gate, numbers, pairs

TYPES = {
    "NonInferiority": gate("NonInferiority", "0.05"),
    "Superiority": gate("Superiority"),
    "NoNewFailures": gate("NoNewFailures"),
    "Ceiling": gate("Ceiling", "0.02"),
    "Bootstrap": gate("Bootstrap", "5", metric="output_tokens"),
    "Limit": gate("Limit", "20", metric="latency_ms"),
}
BINARY = [TYPES[name] for name in ("NonInferiority", "Superiority", "NoNewFailures", "Ceiling")]
NUMERIC = [TYPES[name] for name in ("Bootstrap", "Limit")]


def verdict(of: Gate, rows: list[ItemRow]) -> Verdict:
    return evidence(of, rows).verdict.verdict


def grown(by: float, spread: float = 2.0, n: int = 200) -> list[ItemRow]:
    source = random.Random(3)
    return numbers((10.0, 10.0 + by + source.gauss(0, spread)) for _ in range(n))


@pytest.mark.parametrize(
    ("by", "spread", "expected"),
    [(0.0, 2.0, Verdict.SUCCESSFUL), (9.0, 2.0, Verdict.FAILED), (6.5, 60.0, Verdict.INCONCLUSIVE)],
)
def test_a_mean_that_grows(by: float, spread: float, expected: Verdict) -> None:
    found = evidence(TYPES["Bootstrap"], grown(by, spread)).verdict
    assert found.verdict is expected, found.message
    assert float(found.lower or "") < float(found.estimate or "") < float(found.upper or "")
    assert (found.required_n is None) is (expected is not Verdict.INCONCLUSIVE)


def test_fewer_groups_than_a_bootstrap_needs_are_inconclusive_whatever_they_show() -> None:
    assert verdict(TYPES["Bootstrap"], grown(0.0, n=49)) is Verdict.INCONCLUSIVE
    assert verdict(TYPES["Bootstrap"], grown(0.0, n=50)) is Verdict.SUCCESSFUL
    shared = [replace(row, intent=f"i{at // 8}") for at, row in enumerate(grown(0.0))]
    found = evidence(TYPES["Bootstrap"], shared)
    assert (found.counts.clusters, found.verdict.verdict) == (25, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("above", "n", "expected"),
    [
        (0, 59, Verdict.SUCCESSFUL),
        (0, 58, Verdict.INCONCLUSIVE),
        (1, 59, Verdict.INCONCLUSIVE),
        (9, 59, Verdict.FAILED),
    ],
)
def test_a_limit_by_item_is_about_95_percent_of_such_items(above: int, n: int, expected: Verdict) -> None:
    rows = numbers([(5.0, 30.0)] * above + [(5.0, 20.0)] * (n - above))
    found = evidence(TYPES["Limit"], rows)
    assert found.verdict.verdict is expected, found.verdict.message
    assert found.counts.value == (30.0 if above > 2 else 20.0)


@pytest.mark.parametrize(("size", "expected"), [(900.0, Verdict.SUCCESSFUL), (1001.0, Verdict.FAILED)])
def test_a_limit_of_the_models_one_number_is_a_comparison(size: float, expected: Verdict) -> None:
    found = evidence(gate("Limit", "1000", metric="model_bytes"), [ItemRow("model", 800.0, size)]).verdict
    assert (found.verdict, found.estimate) == (expected, f"{size:.4g}")


def test_the_quantile_is_the_smallest_value_that_95_percent_do_not_exceed() -> None:
    assert quantile([float(v) for v in range(1, 101)]) == 95.0
    assert quantile([3.0]) == 3.0
    assert math.isnan(quantile([]))


def test_items_of_one_intent_are_not_so_many_observations() -> None:
    alone, shared = pairs(both=57, gains=3), pairs(both=57, gains=3, per_intent=3)
    assert verdict(TYPES["NonInferiority"], alone) is Verdict.SUCCESSFUL
    found = evidence(TYPES["NonInferiority"], shared)
    assert found.counts.clusters == 20
    assert found.counts.effective is not None and found.counts.effective.n <= 30
    assert found.verdict.verdict is Verdict.INCONCLUSIVE
    assert "20 intents" in found.verdict.message
    assert (found.verdict.required_n or 0) > 60


def test_clusters_weigh_on_a_ceiling_too() -> None:
    assert verdict(TYPES["Ceiling"], pairs(both=160)) is Verdict.SUCCESSFUL
    assert verdict(TYPES["Ceiling"], pairs(both=160, per_intent=4)) is Verdict.INCONCLUSIVE


def test_new_failures_are_counted_on_these_very_items_whatever_they_share() -> None:
    assert verdict(TYPES["NoNewFailures"], pairs(both=9, per_intent=3)) is Verdict.SUCCESSFUL
    assert verdict(TYPES["NoNewFailures"], pairs(both=8, losses=1, per_intent=3)) is Verdict.FAILED


def test_an_advisory_gate_is_judged_and_decides_nothing() -> None:
    told = evidence(gate("NoNewFailures", effect="Advisory"), pairs(losses=2)).verdict
    assert (told.verdict, told.effect, decides(told)) == (Verdict.FAILED, "Advisory", False)
    demoted = evidence(gate("NoNewFailures"), pairs(both=2), advisory="the judge's kappa is 0.2").verdict
    assert (demoted.verdict, decides(demoted)) == (Verdict.SUCCESSFUL, False)
    assert demoted.message.startswith("advisory, the judge's kappa is 0.2: ")


def test_a_judges_wins_are_corrected_by_people() -> None:
    judged = gate("Superiority", metric="judged_better")
    rows = pairs(both=40, gains=50, losses=10)
    fair = evidence(judged, rows, judge={"table": [30, 2, 0, 2, 32, 2, 0, 2, 30]}).verdict
    favouring = evidence(judged, rows, judge={"table": [30, 0, 0, 0, 32, 0, 25, 5, 8]}).verdict
    assert fair.verdict is Verdict.SUCCESSFUL, fair.message
    assert favouring.verdict is not Verdict.SUCCESSFUL
    assert "as people would say" in favouring.message
    assert verdict(judged, rows) is Verdict.ERROR


def test_a_handful_of_ties_does_not_pass_for_evidence_however_good_the_judge() -> None:
    judged = gate("NonInferiority", "0.05", metric="judged_better")
    labels = {"table": [900, 0, 0, 0, 900, 0, 0, 0, 900]}
    assert evidence(judged, pairs(both=5), judge=labels).verdict.verdict is Verdict.INCONCLUSIVE
    assert evidence(judged, pairs(both=100), judge=labels).verdict.verdict is Verdict.SUCCESSFUL


@pytest.mark.parametrize("of", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("score", [None, math.nan, math.inf])
def test_one_item_without_a_score_is_an_error(of: Gate, score: float | None) -> None:
    rows = numbers([(1.0, 1.0)] * 300) if of in NUMERIC else pairs(both=290, gains=10)
    assert verdict(of, rows) is Verdict.SUCCESSFUL
    found = evidence(of, [*rows[1:], replace(rows[0], candidate=score)]).verdict
    assert (found.verdict, found.message) == (Verdict.ERROR, "1 of 300 items have no score: q0")


@pytest.mark.parametrize("of", TYPES.values(), ids=TYPES)
def test_no_items_twice_the_same_and_scores_of_another_kind_are_errors(of: Gate) -> None:
    rows = numbers([(1.0, 1.0)] * 300) if of in NUMERIC else pairs(both=290, gains=10)
    other = pairs(both=300) if of in NUMERIC else numbers([(1.0, 1.0)] * 300)
    for wrong in ([], [*rows, rows[0]], other):
        assert verdict(of, wrong) is Verdict.ERROR


def test_numbers_that_are_none_in_a_result_are_errors() -> None:
    of = TYPES["Bootstrap"]
    counts = count(of, grown(0.0), Level(0.05))
    assert judge(of, counts).verdict is Verdict.SUCCESSFUL
    assert counts.continuous is not None
    for bad in (
        counts.model_copy(update={"continuous": None}),
        counts.model_copy(update={"continuous": counts.continuous.model_copy(update={"p_value": math.nan})}),
        counts.model_copy(update={"continuous": counts.continuous.model_copy(update={"lower": 99.0})}),
    ):
        assert judge(of, bad).verdict is Verdict.ERROR
    limit = TYPES["Limit"]
    measured = count(limit, numbers([(1.0, 1.0)] * 59), Level(0.05))
    assert judge(limit, measured).verdict is Verdict.SUCCESSFUL
    assert judge(limit, measured.model_copy(update={"value": None})).verdict is Verdict.ERROR


def test_clusters_that_are_not_said_to_be_worth_anything_are_an_error() -> None:
    of = TYPES["NonInferiority"]
    counts = count(of, pairs(both=300, per_intent=2), Level(0.05))
    assert judge(of, counts).verdict is Verdict.SUCCESSFUL
    assert judge(of, counts.model_copy(update={"effective": None})).verdict is Verdict.ERROR
    assert judge(of, counts.model_copy(update={"clusters": 0})).verdict is Verdict.ERROR


@st.composite
def scored(draw: st.DrawFn) -> tuple[Gate, list[ItemRow]]:
    of = draw(st.sampled_from(list(TYPES.values())))
    n = draw(st.integers(1, 90))
    score = st.floats(0, 40).map(lambda x: round(x, 2)) if of in NUMERIC else st.booleans()
    intents = draw(st.lists(st.sampled_from(["", "", "a", "b", "c"]), min_size=n, max_size=n))
    return of, [ItemRow(f"q{at}", draw(score), draw(score), intents[at]) for at in range(n)]


@settings(deadline=None, max_examples=40)
@for_all(given_=scored(), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(given_: tuple[Gate, list[ItemRow]], seed: random.Random) -> None:
    of, rows = given_
    mixed = seed.sample(rows, len(rows))
    assert evidence(of, rows).verdict == evidence(of, mixed).verdict


@settings(deadline=None, max_examples=60)
@for_all(of=st.sampled_from(BINARY), rows=scored(), at=st.integers(0, 89))
def test_a_right_answer_less_never_opens_a_gate(of: Gate, rows: tuple[Gate, list[ItemRow]], at: int) -> None:
    """Without clusters: with them a lost item may show that its cluster's items do not go together after all."""
    numeric, drawn = rows[0] in NUMERIC, rows[1]
    items = [ItemRow(r.id, bool(r.champion), bool(r.candidate)) for r in drawn] if not numeric else pairs(both=80)
    worse = [replace(row, candidate=False) if number == at % len(items) else row for number, row in enumerate(items)]
    if evidence(of, worse).verdict.verdict is Verdict.SUCCESSFUL:
        assert evidence(of, items).verdict.verdict is Verdict.SUCCESSFUL


@settings(deadline=None, max_examples=30)
@for_all(given_=scored(), more=st.floats(0.5, 50))
def test_a_longer_answer_never_opens_a_limit(given_: tuple[Gate, list[ItemRow]], more: float) -> None:
    of, rows = TYPES["Limit"], numbers((5.0, float(r.candidate or 0) % 40) for r in given_[1])
    worse = [replace(rows[0], candidate=float(rows[0].candidate or 0) + more), *rows[1:]]
    if evidence(of, worse).verdict.verdict is Verdict.SUCCESSFUL:
        assert evidence(of, rows).verdict.verdict is Verdict.SUCCESSFUL


def test_a_smaller_alpha_asks_for_more() -> None:
    rows = pairs(both=60)
    assert evidence(TYPES["NonInferiority"], rows).verdict.verdict is Verdict.SUCCESSFUL
    strict = evidence(TYPES["NonInferiority"], rows, level=Level(0.05 / 12, 1, 12)).verdict
    assert (strict.verdict, strict.alpha) == (Verdict.INCONCLUSIVE, "0.004167")
    assert "at look 1 of 12" in strict.message


def test_rows_are_the_same_after_a_journey_as_json() -> None:
    for row in (*pairs(both=1, losses=1, per_intent=2), *numbers([(1.5, math.nan)])):
        again = ItemRow.of(row.to_wire())
        assert again == row or (again.candidate is None and row.unscored)
    with pytest.raises(ValueError, match="a row has no champion"):
        ItemRow.of({"id": "q"})
    with pytest.raises(ValueError, match="a score is"):
        ItemRow.of({"id": "q", "champion": "yes", "candidate": True})


def test_the_suite_of_the_tests_is_valid() -> None:
    assert given.suite(reuse="Spend").refresh.looks == 12
