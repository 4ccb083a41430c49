"""A task of lm-evaluation-harness as a suite of an evaluation, in the environment that has the harness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedbackloop.api.jobs import EvaluateResult
from feedbackloop.domain.gates.recomputing import recompute
from tests.support import envs
from tests.trainer import pod as pods
from tests.trainer import rows
from tests.trainer.pod import Pod
from tests.trainer.test_lmeval import TASK

pytestmark = [pytest.mark.trainer, pytest.mark.faults, pytest.mark.timeout(900)]


def test_its_items_are_rows_of_a_gate(pod: Pod, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = [json.loads(line) for line in rows.golden_set().splitlines()[:8]]
    asked = [{"question": item["messages"][-1]["content"], "answer": item["answers"][0]} for item in golden]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    (tmp_path / "fl_support.yaml").write_text(TASK.format(items=tmp_path / "items.jsonl"))
    model, data_set = pod.push(base), pod.put_data_set([], rows.regressions(1))
    told = pod.evaluate_spec(model, model, data_set, pod.put_golden(rows.golden_set())) | {
        "suites": [{"name": "arc", "source": {"lmEvalTask": "fl_support"}}],
        "gates": [{"name": "kept", "suite": "arc", "type": "NoNewFailures", "metric": "lm_eval"}],
    }
    monkeypatch.setattr(pods, "WITHIN_SECONDS", 800.0)
    monkeypatch.setattr(pods, "trainer_python", lambda: str(envs.ensure("lmeval") / "bin" / "python"))
    assert pod.run(told, FL_LMEVAL_TASKS=str(tmp_path)) == 0, pod.log
    (gate,) = EvaluateResult.model_validate(pod.json(told)).gates
    assert (gate.n, gate.only_champion, gate.only_candidate, gate.error) == (8, 0, 0, "")
    document = pod.store.get(f"runs/{told['runId']}/gates/kept.json")
    assert recompute("kept", document, gate.evidence_digest).agrees
