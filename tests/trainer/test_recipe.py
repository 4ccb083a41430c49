"""The demo's recipe from corrections to verdicts: replay keeps what the model knew, corrections alone wreck it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import EvaluateResult
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import judge
from tests.trainer import rows
from tests.trainer.pod import Pod

pytestmark = pytest.mark.trainer
DEFAULTS: dict[str, Any] = {"maxSteps": 100, "batchSize": 16, "checkpointSteps": 100}


def verdicts(pod: Pod, base: Path, training: list[rows.Row]) -> tuple[dict[str, Verdict], EvaluateResult]:
    """Train with the default settings, evaluate, judge."""
    topics = [fact.topic for fact in rows.STALE]
    data_set, champion = pod.put_data_set(training, rows.regressions(2), topics), pod.push(base)
    train = pod.train_spec(champion, data_set, **DEFAULTS)
    assert pod.run(train) == 0, pod.log
    candidate = Model.model_validate(pod.json(train)["model"])
    evaluate = pod.evaluate_spec(champion, candidate, data_set, pod.put_golden(rows.golden_set()))
    assert pod.run(evaluate) == 0, pod.log
    result = EvaluateResult.model_validate(pod.json(evaluate))
    gates = [Gate.model_validate(gate) for gate in evaluate["gates"]]
    return {g.name: judge(g, c).verdict for g, c in zip(gates, result.gates, strict=True)}, result


def test_corrections_with_replay_pass_both_gates(pod: Pod, base: Path) -> None:
    found, result = verdicts(pod, base, rows.corrections(8) + rows.replayed(48))
    assert found == {"target": Verdict.SUCCESSFUL, "golden": Verdict.SUCCESSFUL}
    assert result.gates[1].n == 180
    assert result.accuracy["golden"]["champion"] == pytest.approx(0.75)
    assert result.accuracy["golden"]["candidate"] > 0.95


def test_corrections_alone_fail_on_what_nobody_corrected(pod: Pod, base: Path) -> None:
    found, result = verdicts(pod, base, rows.corrections(8))
    assert found == {"target": Verdict.SUCCESSFUL, "golden": Verdict.FAILED}
    assert result.accuracy["golden/unchanged"]["candidate"] < 0.5
