from __future__ import annotations

import random
from typing import Any

import pytest

from feedbackloop.api.jobs import ShadowResult, ShadowSpec
from feedbackloop.api.rollout import ShadowMetric
from feedbackloop.events.ledger.consents import Standing, Standings
from feedbackloop.events.records import ErasedRecord, InteractionRecord, Message, ShadowAnswer, ShadowPairRecord
from feedbackloop.jobs.shadow import report
from feedbackloop.jobs.shadow.comparing import Counts, compare
from feedbackloop.jobs.shadow.pairs import Skip, sample

OLD, NEW = "sha256:old", "sha256:new"
BODY = {
    "stage": "shadow",
    "runId": "shadow-0123456789ab",
    "runName": "run",
    "loop": {"namespace": "team", "name": "bot", "uid": "uid"},
    "storage": {"url": "http://s3", "bucket": "b", "prefix": "p/"},
    "rolloutRunUid": "run-1",
    "metric": "NoRefusal",
    "maxPairs": 10,
    "championDigest": OLD,
    "candidateDigest": NEW,
}


def spec(**changes: Any) -> ShadowSpec:
    return ShadowSpec.model_validate({**BODY, **changes})


def pair(number: int, stable: str = "yes", shadow: str = "yes", **more: Any) -> ShadowPairRecord:
    fields: dict[str, Any] = {"run_uid": "run-1", "epoch": 3, "consent": True} | more
    return ShadowPairRecord(
        f"e-{number}",
        1000 + number,
        f"s-{number % 5}",
        (Message("user", "?"),),
        ShadowAnswer(stable, fields.pop("old", OLD)),
        ShadowAnswer(shadow, fields.pop("new", NEW)),
        **fields,
    )


def test_pairs_of_another_rollout_or_an_earlier_step_are_not_looked_at() -> None:
    records = [pair(1), pair(2, run_uid="run-0"), pair(3, epoch=2), ErasedRecord(), pair(4, epoch=4)]
    taken = sample(records, spec(fromEpoch=3), {}, 10)
    assert {record.event_id for record in taken.pairs()} == {"e-1", "e-4"}
    assert taken.skipped == {}


def test_an_interaction_is_no_pair() -> None:
    record = InteractionRecord("e", 1, "s", (Message("user", "?"),), ())
    assert sample([record], spec(), {}, 10).pairs() == []


@pytest.mark.parametrize(
    ("consent", "required", "used"),
    [(True, True, True), (None, True, False), (None, False, True), (False, False, False), (False, True, False)],
)
def test_consent_is_asked_for_and_skipped_pairs_are_counted(consent: bool | None, required: bool, used: bool) -> None:
    taken = sample([pair(1, consent=consent)], spec(consentRequired=required), {}, 10)
    assert (len(taken.pairs()), taken.skipped[Skip.NO_CONSENT]) == (int(used), int(not used))


def test_who_has_refused_since_is_left_out_even_where_consent_is_not_required() -> None:
    standings: Standings = {("s-1", "Improve"): Standing("withdrawn", 5000, 5000)}
    taken = sample([pair(1), pair(2)], spec(consentRequired=False), standings, 10)
    assert [record.event_id for record in taken.pairs()] == ["e-2"]
    assert taken.skipped == {Skip.NO_CONSENT: 1}


def test_answers_of_other_models_are_not_compared() -> None:
    taken = sample([pair(1, old="sha256:x"), pair(2, new=""), pair(3)], spec(), {}, 10)
    assert taken.skipped == {Skip.OTHER_MODEL: 2}
    assert len(taken.pairs()) == 1


def test_the_sample_is_the_same_in_any_order_and_another_by_seed() -> None:
    records = [pair(number) for number in range(200)]
    first = sample(records, spec(), {}, 20)
    mixed = random.Random(7).sample(records, len(records))
    assert [r.event_id for r in sample(mixed, spec(), {}, 20).pairs()] == [r.event_id for r in first.pairs()]
    assert (first.seen, len(first.pairs())) == (200, 20)
    assert {r.event_id for r in sample(records, spec(seed=1), {}, 20).pairs()} != {r.event_id for r in first.pairs()}


def test_a_pair_that_is_stored_twice_counts_once() -> None:
    assert sample([pair(1), pair(1)], spec(), {}, 10).seen == 1


SORRY = "I'm sorry, but I can't help with that."


@pytest.mark.parametrize(
    ("metric", "texts", "counts"),
    [
        (ShadowMetric.NO_REFUSAL, [(SORRY, "yes"), ("yes", SORRY), (SORRY, SORRY), ("a", "b"), (SORRY, "")], (2, 1, 2)),
        (ShadowMetric.NOT_EMPTY, [("", "yes"), ("yes", " \n"), ("", ""), ("a", "b")], (1, 1, 2)),
    ],
)
def test_the_better_answer_by_metric(
    metric: ShadowMetric, texts: list[tuple[str, str]], counts: tuple[int, int, int]
) -> None:
    ticks: list[int] = []
    found = compare(metric, [pair(n, *both) for n, both in enumerate(texts)], None, ticks.append)
    assert found == Counts(*counts)
    assert ticks == [len(texts)]


def result(**counts: Any) -> ShadowResult:
    identity = {"run_id": "r", "attempt": 1, "spec_digest": "d"}
    return ShadowResult.model_validate(identity | {"pairs": 0, "wins": 0, "losses": 0, "ties": 0} | counts)


def test_the_page_shows_the_counts_and_the_interval() -> None:
    page = report.page(spec(), result(pairs=100, wins=40, losses=20, ties=40, skipped=3), {Skip.NO_CONSENT: 3})
    assert "win rate 60 %" in page
    assert "<td>skipped: NoConsent</td><td>3</td>" in page
    assert "Advisory" not in page


def test_a_page_without_pairs_says_so_and_an_advisory_one_why() -> None:
    assert "No pair was compared" in report.page(spec(), result(), {})
    assert "<b>Advisory:</b> the judge &lt;x&gt;." in report.page(spec(), result(advisory="the judge <x>"), {})
