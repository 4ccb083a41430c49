from __future__ import annotations

import pytest
from pydantic import ValidationError

from feedbackloop.api.rollout import Harm
from feedbackloop.api.rolloutstatus import Look, OutcomeStatus, Verdict
from feedbackloop.domain.evidence.outcome import (
    describe,
    describe_estimate,
    evaluate_looks,
    harm_bound,
    non_inferiority_bound,
)
from tests.unit.domain.evidence.looks import counts, look, outcome

GOOD = [look(counts(60, 18), counts(60, 6)) for _ in range(3)]
BAD = [look(counts(60, 6), counts(60, 18)) for _ in range(3)]
SAME = [look(counts(60, 12), counts(60, 12))]


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [(GOOD, Verdict.SUCCESSFUL), (BAD, Verdict.FAILED), (SAME, Verdict.INCONCLUSIVE), ([], Verdict.INCONCLUSIVE)],
)
def test_verdicts(looks: list[Look], verdict: Verdict) -> None:
    assert evaluate_looks(outcome(), looks).verdict is verdict


def test_too_few_rated_units_decide_nothing_good() -> None:
    assert evaluate_looks(outcome(min_rated_units=360), GOOD).verdict is Verdict.SUCCESSFUL
    assert evaluate_looks(outcome(min_rated_units=361), GOOD).verdict is Verdict.INCONCLUSIVE
    assert evaluate_looks(outcome(min_rated_units=361), BAD).verdict is Verdict.FAILED


def test_harm_needs_no_second_crossing_and_promotion_stands_on_the_present() -> None:
    back = [look(counts(100, 60), counts(100, 20)) for _ in range(8)]
    assert evaluate_looks(outcome(), [*BAD, *back]).verdict is Verdict.FAILED
    worse = [look(counts(60, 12), counts(60, 16)) for _ in range(8)]
    assert evaluate_looks(outcome(), GOOD).verdict is Verdict.SUCCESSFUL
    assert evaluate_looks(outcome(), [*GOOD, *worse]).verdict is Verdict.INCONCLUSIVE


def test_the_harm_alpha_is_split_over_the_outcomes() -> None:
    assert harm_bound(outcome()) == 20
    assert harm_bound(outcome(), outcomes=4) == 80
    looks = [look(counts(100, 10), counts(100, 28))]
    assert evaluate_looks(outcome(), looks).verdict is Verdict.FAILED
    assert evaluate_looks(outcome(), looks, outcomes=8).verdict is Verdict.INCONCLUSIVE


def test_other_outcomes_looks_do_not_count() -> None:
    other = [x.model_copy(update={"outcome": "other"}) for x in BAD]
    assert evaluate_looks(outcome(), [*GOOD, *other]) == evaluate_looks(outcome(), GOOD)


def test_the_numbers_survive_the_api_and_any_amount_of_evidence() -> None:
    huge = evaluate_looks(outcome(), [look(counts(9000, 8000), counts(9000, 100))] * 50)
    assert float(huge.non_inferiority_e_value) == 1e300
    assert OutcomeStatus.model_validate(huge.to_wire()) == huge


def test_the_evidence_in_words() -> None:
    text = describe(outcome(), evaluate_looks(outcome(), GOOD))
    assert "events/units stable 54/180, canary 18/180" in text
    assert (
        describe_estimate(outcome(), evaluate_looks(outcome(), GOOD))
        == "downvotes: ratio between 0.144 and 0.683, estimated 0.333"
    )
    assert describe_estimate(outcome(), evaluate_looks(outcome(), [])) == "downvotes: ratio unknown"


def test_the_estimate_and_its_interval_stand_in_the_status() -> None:
    status = evaluate_looks(outcome(), GOOD)
    assert [float(x or "nan") for x in (status.estimate, status.lower, status.upper)] == pytest.approx(
        [1 / 3, 0.1441, 0.6826], abs=2e-4
    )
    without = evaluate_looks(outcome(), [look(counts(60, 0), counts(60, 0))])
    assert (without.estimate, without.lower, without.upper) == (None, "0.01", "100")
    assert evaluate_looks(outcome(), []).lower is None


def test_a_loop_that_bounds_its_regressions_needs_more_to_promote() -> None:
    looks = [look(counts(60, 18), counts(60, 6)) for _ in range(2)]
    assert evaluate_looks(outcome(), looks).verdict is Verdict.SUCCESSFUL
    assert evaluate_looks(outcome(), looks, level=0.0001).verdict is Verdict.INCONCLUSIVE
    assert evaluate_looks(outcome(), GOOD, level=0.0001).verdict is Verdict.SUCCESSFUL
    assert non_inferiority_bound(outcome(), level=0.5) == 20, "never easier than the outcome's own alpha"
    assert "(bound 1000 for" in describe(outcome(), evaluate_looks(outcome(), looks), level=0.001)


def test_case_37_the_alpha_of_harm_is_one_budget_for_all_outcomes() -> None:
    """Eight outcomes of which any may abort spend no more alpha than one."""
    for outcomes in range(1, 9):
        assert sum(1 / harm_bound(outcome(), outcomes) for _ in range(outcomes)) == pytest.approx(0.05)
    with pytest.raises(ValidationError, match="alpha"):
        Harm.model_validate({"alpha": "1.0"})
