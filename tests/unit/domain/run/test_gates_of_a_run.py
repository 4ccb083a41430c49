"""What gates mean for a run: advisory ones, looks that are spent, evidence that the verdict names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, SuiteLooks
from feedbackloop.api.improvementrun import RunOutcome, StageName
from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import looked
from feedbackloop.domain.lifecycle.run_seen import Answers, RunSeen, StageSeen
from tests.support.fakeworld import declared
from tests.support.fakeworld.jobs import Outcome
from tests.unit.domain.run import given

GOLDEN = "sha256:" + "9" * 64


def evaluation(*gates: dict[str, Any], **refresh: Any) -> dict[str, Any]:
    """The fake world's evaluation with other gates beside its own, and a refresh policy on its golden suite."""
    own = declared.loop()["spec"]["evaluation"]
    suites = [{**suite, "refresh": refresh} if suite["name"] == "golden" else suite for suite in own["suites"]]
    return {**own, "suites": suites, "gates": [*own["gates"], *gates]}


def curated(looks: int, outcome: Outcome = given.WELL, **refresh: Any) -> RunSeen:
    """A run of a loop whose golden suite has been looked at so often."""
    spec = {"evaluation": evaluation(**refresh)}
    entry = SuiteLooks(digest=GOLDEN, suite="golden", looks=looks, last_at="2026-11-01T00:00:00Z")
    loop = given.loop(**spec)
    status = FeedbackLoopStatus(champion=given.BASE, declared_model=given.BASE, suites=(entry,) if looks else ())
    seen = given.new(loop=replace(loop, status=status))
    pinned = replace(seen, status=given.decided(seen).status)
    pinned = replace(pinned, status=given.decided(replace(pinned, answers=Answers(run_id="m"))).status)
    return given.succeed(replace(pinned, answers=Answers()), outcome)


def test_an_advisory_gate_that_fails_is_shown_and_decides_nothing() -> None:
    told = {"name": "told", "suite": "golden", "type": "NoNewFailures", "effect": "Advisory"}
    seen = given.trained(evaluation=evaluation(told))
    file = given.result_file(seen)
    gates = [{**gate, "onlyChampion": 3} if gate["name"] == "told" else gate for gate in file.body["gates"]]  # type: ignore[attr-defined]
    stage = StageSeen(job=given.running(seen), result=replace(file, body={**file.body, "gates": gates}))
    decision = given.decided(replace(seen, stage=stage))
    verdicts = {gate.name: (gate.verdict, gate.effect) for gate in decision.status.gates}
    assert verdicts["told"] == (Verdict.FAILED, "Advisory")
    assert given.condition(decision, "GatesPassed") == ("True", "AllPassed")


def test_when_every_gate_is_demoted_none_is_left_to_pass() -> None:
    seen = given.trained()
    file = given.result_file(seen)
    gates = [{**gate, "advisory": "the judge's kappa is 0.1"} for gate in file.body["gates"]]  # type: ignore[attr-defined]
    stage = StageSeen(job=given.running(seen), result=replace(file, body={**file.body, "gates": gates}))
    decision = given.decided(replace(seen, stage=stage))
    assert given.condition(decision, "GatesPassed") == ("False", "GateInconclusive")
    assert decision.status.outcome is RunOutcome.GATED
    assert decision.status.message.startswith("every gate is advisory, none decides")


def test_an_advisory_gate_with_too_few_items_does_not_stop_the_training() -> None:
    told = {
        "name": "told", "suite": "regressions", "type": "Ceiling", "maxFailures": "0.01", "effect": "Advisory",
        "metric": "not_empty",
    }  # fmt: skip
    seen = given.curated(evaluation=evaluation(told))
    decision = given.decided(seen)
    assert given.condition(decision, "GateUnderpowered") == ("False", "EnoughItems")
    assert [s.name for s in seen.status.stages] == [StageName.CURATE, StageName.TRAIN]


def test_a_suite_that_is_used_up_ends_the_run_before_anything_is_trained() -> None:
    seen = curated(12, reuse="Spend")
    assert seen.status.outcome is RunOutcome.GATED
    assert given.condition(given.decided(seen), "GateUnderpowered") == ("True", "SuiteExhausted")
    assert "suite golden has decided 12 times" in seen.status.message
    assert [s.name for s in seen.status.stages] == [StageName.CURATE]
    assert curated(12).status.outcome is None


def test_a_look_that_is_spent_needs_more_items() -> None:
    assert curated(0, Outcome(items=100)).status.outcome is None
    short = curated(0, Outcome(items=100), reuse="Spend")
    assert short.status.outcome is RunOutcome.GATED
    assert "at least 107 are needed" in short.status.message


def test_the_job_and_the_operator_count_the_same_look_and_the_loop_counts_it_once() -> None:
    seen = given.succeed(curated(3, reuse="Spend"), given.WELL)
    told = EvaluateSpec.model_validate_json(given.spec_text(seen))
    assert [entry.looks for entry in told.looks] == [3]
    file = given.result_file(seen)
    gates = [{**g, "suiteDigest": GOLDEN if g["suite"] == "golden" else ""} for g in file.body["gates"]]  # type: ignore[attr-defined]
    stage = StageSeen(job=given.running(seen), result=replace(file, body={**file.body, "gates": gates}))
    found = given.decided(replace(seen, stage=stage)).status.gates
    golden = next(gate for gate in found if gate.name == "golden")
    assert (golden.look, golden.alpha, golden.suite_digest) == (4, "0.004167", GOLDEN)
    once = looked(told.looks, found, given.NOW)
    assert [entry.looks for entry in once if entry.digest == GOLDEN] == [4]
    assert looked(once, found, given.NOW) == once


def test_items_that_only_the_evaluation_knows_may_be_used_up_too() -> None:
    """Of a task or a probe the digest is not declared, so the gate fails closed and the reason says why."""
    own = "sha256:" + "7" * 64
    policy = {"reuse": "Spend", "looks": 1}
    spec = evaluation()
    spec["suites"] = [{**s, "refresh": policy} if s["name"] == "regressions" else s for s in spec["suites"]]
    seen = given.trained(evaluation=spec)
    entry = SuiteLooks(digest=own, suite="regressions", looks=1, last_at="2026-11-01T00:00:00Z")
    inputs = seen.status.inputs
    assert inputs is not None
    pinned = inputs.model_copy(update={"suite_looks": (entry,)})
    seen = replace(seen, status=seen.status.model_copy(update={"inputs": pinned}))
    seen = replace(seen, status=given.decided(seen).status)
    file = given.result_file(seen)
    gates = [{**g, "suiteDigest": own if g["suite"] == "regressions" else ""} for g in file.body["gates"]]  # type: ignore[attr-defined]
    stage = StageSeen(job=given.running(seen), result=replace(file, body={**file.body, "gates": gates}))
    decision = given.decided(replace(seen, stage=stage))
    assert given.condition(decision, "GatesPassed") == ("False", "SuiteExhausted")
