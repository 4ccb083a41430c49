"""What the results of the stages mean for the run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.improvementrun import RunOutcome, StageName
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.lifecycle.run_effects import Register
from feedbackloop.domain.lifecycle.run_seen import StageSeen
from tests.support.fakeworld import declared
from tests.support.fakeworld.jobs import CANDIDATE, DATASET, Outcome
from tests.unit.domain.run import given

DATASET_ONLY = [{**declared.improvement(), "training": {"stages": [], "profileName": "cpu-small"}}]


def test_a_run_that_declares_no_training_ends_with_its_data_set() -> None:
    seen = given.curated(Outcome(training_rows=0), improvements=DATASET_ONLY)
    assert seen.status.outcome is RunOutcome.COMPLETED
    assert given.condition(given.decided(seen), "Ready") == ("True", "DatasetOnly")
    assert seen.status.dataset is not None
    assert seen.status.dataset.digest == DATASET


def test_too_few_rows_skip_the_run() -> None:
    seen = given.curated(Outcome(training_rows=7))
    assert seen.status.outcome is RunOutcome.SKIPPED
    assert seen.status.message == "7 training rows, minExamples is 8"
    assert given.condition(given.decided(seen), "Ready") == ("True", "NotEnoughExamples")


def test_a_gate_that_cannot_pass_ends_the_run_before_anything_is_trained() -> None:
    seen = given.curated(Outcome(items=40))
    decision = given.decided(seen)
    assert seen.status.outcome is RunOutcome.GATED
    assert given.condition(decision, "GateUnderpowered") == ("True", "TooFewItems")
    assert "59" in seen.status.message
    assert [s.name for s in seen.status.stages] == [StageName.CURATE]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (NamedEntities(engine="presidio", model="m 1", replaced={"PERSON": 3}), ("True", "NamesReplaced")),
        (NamedEntities(reason="NoModel", message="not installed: spacy"), ("False", "NoModel")),
        (NamedEntities(reason="Never"), ("False", "NamesKept")),
    ],
)
def test_whether_names_went_from_the_rows_is_said_and_decides_nothing(
    named: NamedEntities, said: tuple[str, str]
) -> None:
    seen = given.curated(Outcome(named=named))
    assert given.condition(given.decided(seen), "NamedEntitiesRedacted") == said
    assert [s.name for s in seen.status.stages] == [StageName.CURATE, StageName.TRAIN]


def test_enough_items_begin_the_training_in_the_same_decision() -> None:
    seen = given.curated()
    assert given.condition(given.decided(seen), "GateUnderpowered") == ("False", "EnoughItems")
    assert [s.name for s in seen.status.stages] == [StageName.CURATE, StageName.TRAIN]


def test_the_trained_model_is_the_candidate() -> None:
    candidate = given.trained().status.candidate
    assert candidate is not None
    assert (candidate.uri, candidate.digest) == (CANDIDATE.uri, CANDIDATE.digest)
    assert candidate.run_name == given.new().name


def test_a_candidate_that_passes_every_gate_is_registered() -> None:
    seen = given.evaluated()
    decision = given.decided(seen)
    assert {g.verdict for g in seen.status.gates} == {Verdict.SUCCESSFUL}
    assert given.condition(decision, "GatesPassed") == ("True", "AllPassed")
    assert isinstance(decision.asks[0], Register)


def test_a_candidate_that_forgets_is_gated_and_never_rolled_out() -> None:
    seen = given.evaluated(Outcome(losses=60))
    decision = given.decided(seen)
    assert seen.status.outcome is RunOutcome.GATED
    assert given.condition(decision, "GatesPassed") == ("False", "GateFailed")
    assert seen.status.rollout is None
    assert seen.status.mlflow.model_version is None


def test_a_candidate_that_is_not_shown_to_be_better_is_gated_as_inconclusive() -> None:
    seen = given.evaluated(Outcome(gains=2))
    assert given.condition(given.decided(seen), "GatesPassed") == ("False", "GateInconclusive")


def test_a_gate_without_counts_is_an_error_and_does_not_open() -> None:
    seen = given.trained()
    file = given.result_file(seen)
    stage = StageSeen(job=given.running(seen), result=replace(file, body={**file.body, "gates": []}))
    decision = given.decided(replace(seen, stage=stage))
    assert {g.verdict for g in decision.status.gates} == {Verdict.ERROR}
    assert decision.status.outcome is RunOutcome.GATED


def test_excluded_rows_are_shown_by_reason() -> None:
    dataset = given.curated().status.dataset
    assert dataset is not None
    assert [(e.reason, e.count) for e in dataset.excluded] == [("NotCorroborated", 9), ("NoConsent", 4)]
