"""Every kind of suite and gate on the real model, and evidence from which the verdicts follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import EvaluateResult
from feedbackloop.domain.gates.recomputing import recompute
from feedbackloop.jobs import canonical
from tests.trainer import rows
from tests.trainer.pod import Pod

pytestmark = pytest.mark.trainer

GATES: list[dict[str, Any]] = [
    {"name": "kept", "suite": "golden", "type": "NonInferiority", "margin": "0.05"},
    {"name": "fixed", "suite": "regressions", "type": "NoNewFailures"},
    {"name": "mine", "suite": "mine", "type": "NoNewFailures", "metric": "exact_match"},
    {"name": "ends", "suite": "golden", "type": "Ceiling", "maxFailures": "0.05", "metric": "stopped"},
    {"name": "fair", "suite": "bias", "type": "Ceiling", "maxFailures": "0.5", "metric": "unbiased"},
    {"name": "short", "suite": "golden", "type": "Bootstrap", "maxLoss": "1", "metric": "output_tokens"},
    {"name": "fast", "suite": "mine", "type": "Limit", "maxValue": "60000", "metric": "latency_ms"},
    {"name": "size", "suite": "golden", "type": "Limit", "maxValue": "100000000", "metric": "model_bytes"},
    {"name": "told", "suite": "mine", "type": "Superiority", "effect": "Advisory"},
]


def own_items() -> bytes:
    """Two items of each of six intents, of which the model knows the answers."""
    items = [json.loads(line) for line in rows.golden_set().splitlines()[:12]]
    return canonical.lines([{**item, "intent": f"intent-{at // 2}"} for at, item in enumerate(items)])


def spec(pod: Pod, base: Path) -> dict[str, Any]:
    """The model against itself."""
    model, data_set = pod.push(base), pod.put_data_set([], rows.regressions(1))
    declared = pod.evaluate_spec(model, model, data_set, pod.put_golden(rows.golden_set()))
    digest = pod.put_config_map("items", "mine.jsonl", own_items())
    more = [
        {"name": "mine", "source": {"configMap": {"name": "items", "key": "mine.jsonl"}, "digest": digest}},
        {"name": "bias", "source": {"probes": "Bias"}},
    ]
    return {**declared, "suites": [*declared["suites"], *more], "gates": GATES, "maxNewTokens": 16}


def test_every_verdict_follows_from_the_evidence_and_a_second_attempt_takes_the_first_ones(
    pod: Pod, base: Path
) -> None:
    told = spec(pod, base)
    assert pod.run(told) == 0, pod.log
    result = EvaluateResult.model_validate(pod.json(told))
    assert [gate.error for gate in result.gates] == [""] * len(GATES)
    folder = f"runs/{told['runId']}/gates/"
    documents = {key: pod.store.get(key) for key in pod.store.keys(folder)}
    for gate in result.gates:
        found = recompute(gate.name, documents[f"{folder}{gate.name}.json"], gate.evidence_digest)
        assert found.agrees, (gate.name, found.problems)
        assert found.evidence is not None and found.evidence.counts == gate.model_copy(update={"evidence_digest": ""})
    counts = {gate.name: gate for gate in result.gates}
    assert all(gate.only_champion == gate.only_candidate == 0 for gate in result.gates if gate.name != "fast")
    assert (counts["mine"].n, counts["told"].clusters) == (12, 6)
    assert (counts["fast"].value or 0) > 0
    assert counts["size"].value == sum(path.stat().st_size for path in base.iterdir() if path.name != "manifest.json")
    assert counts["short"].continuous is not None and counts["short"].continuous.mean == 0
    assert b"window" not in b"".join(data or b"" for data in documents.values())

    pod.store.delete(f"runs/{told['runId']}/result.json")
    assert pod.run(told, 2) == 0, pod.log
    again = EvaluateResult.model_validate(pod.json(told))
    assert [gate.evidence_digest for gate in again.gates] == [gate.evidence_digest for gate in result.gates]


def test_a_config_map_that_is_not_mounted_is_named(pod: Pod, base: Path) -> None:
    told = spec(pod, base)
    (pod.home / "suites" / "items" / "mine.jsonl").unlink()
    assert pod.run(told) == 10
    assert "suite mine: ConfigMap items, key mine.jsonl: is not there; create it" in pod.log
