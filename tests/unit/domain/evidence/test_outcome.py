from __future__ import annotations

import pytest

from feedbackloop.api.rolloutstatus import OutcomeStatus, Verdict
from feedbackloop.domain.evidence.outcome import describe, describe_ratio, evaluate_looks, harm_bound
from tests.unit.domain.evidence.looks import counts, look, outcome

GOOD = [look(counts(60, 18), counts(60, 6)) for _ in range(3)]
BAD = [look(counts(60, 6), counts(60, 18)) for _ in range(3)]
SAME = [look(counts(60, 12), counts(60, 12))]


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [(GOOD, Verdict.SUCCESSFUL), (BAD, Verdict.FAILED), (SAME, Verdict.INCONCLUSIVE), ([], Verdict.INCONCLUSIVE)],
)
def test_verdicts(looks: list, verdict: Verdict) -> None:
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
    assert "ratio between" in describe_ratio(outcome(), GOOD)
