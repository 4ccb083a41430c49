"""Tasks of lm-evaluation-harness become rows like any other; the harness itself is met in tests/trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.domain.gates import ItemRow
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.evaluate import harnessed
from feedbackloop.jobs.lmeval import Scored

PLACES = {"champion": Path("champion"), "candidate": Path("candidate")}
TASK = {"name": "t", "suite": "arc", "type": "NonInferiority", "margin": "0.05", "metric": "lm_eval"}


def spec(*gates: dict[str, Any]) -> EvaluateSpec:
    model = {"uri": "s3://models/m/0/", "digest": "sha256:" + "0" * 64}
    store = {"url": "http://s3:9000", "bucket": "feedback", "prefix": ""}
    return EvaluateSpec.model_validate(
        {
            "stage": "evaluate",
            "runId": "evaluate-0",
            "runName": "r",
            "loop": {"namespace": "n", "name": "l", "uid": "u"},
            "storage": store,
            "models": store,
            "datasetDigest": "sha256:" + "0" * 64,
            "champion": model,
            "candidate": model,
            "suites": [
                {"name": "arc", "source": {"lmEvalTask": "arc_easy"}},
                {"name": "own", "source": {"acceptedCorrections": {}}},
            ],
            "gates": list(gates),
        }
    )


def harness(directory: Path, task: str) -> Scored:
    right = directory.name == "candidate"
    return Scored(f"lm-eval/1 {task}", (("arc/0", True), ("arc/1", right)), "sha256:" + "d" * 64)


def test_both_models_are_paired_item_by_item() -> None:
    found = harnessed.scored(spec(TASK), PLACES, harness)["arc"]
    assert found.rows == (ItemRow("arc/0", True, True), ItemRow("arc/1", False, True))
    assert (found.suite_digest, found.scorer) == ("sha256:" + "d" * 64, "lm-eval/1 arc_easy")


def test_a_task_that_no_gate_wants_is_not_run() -> None:
    assert harnessed.scored(spec(), PLACES, harness) == {}


def test_other_items_for_the_candidate_are_refused() -> None:
    def uneven(directory: Path, task: str) -> Scored:
        return Scored("lm-eval/1", ((directory.name, True),), "sha256:" + "d" * 64)

    with pytest.raises(InvalidDataset, match="not asked the same items"):
        harnessed.scored(spec(TASK), PLACES, uneven)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"suite": "own"}, "metric: a suite of lmEvalTask and metric lm_eval belong together"),
        ({"metric": "contains_answer"}, "metric: a suite of lmEvalTask and metric lm_eval belong together"),
        ({"slice": "unchanged"}, "slice: items of lm-evaluation-harness have no topics"),
    ],
)
def test_a_gate_that_does_not_suit_its_suite_is_refused_before_anything_is_asked(
    changes: dict[str, str], said: str
) -> None:
    harnessed.check(
        spec(TASK, {"name": "size", "suite": "arc", "type": "Limit", "metric": "model_bytes", "maxValue": "9"})
    )
    with pytest.raises(InvalidSpec, match=said):
        harnessed.check(spec(TASK | changes))
