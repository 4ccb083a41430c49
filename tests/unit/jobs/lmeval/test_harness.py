"""What is taken from the harness's samples; the harness itself runs in tests/trainer/test_lmeval.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbackloop.jobs import lmeval
from feedbackloop.jobs.errors import InvalidSpec
from feedbackloop.jobs.lmeval import harness


def sample(number: int, *, of: str = "strict", **scores: Any) -> dict[str, Any]:
    hashes = {"doc_hash": f"{number:064x}", "prompt_hash": f"{number + 1:064x}"}
    return {"doc_id": number, "filter": of, "metrics": list(scores), **hashes, **scores}


def test_items_are_right_or_wrong_by_the_first_binary_metric_in_order() -> None:
    samples = [sample(1, f1=0.4, acc=1.0), sample(0, f1=1.0, acc=0.0)]
    part = harness._by_item("task", samples)
    assert part.metric == "acc"
    assert [(name, right) for name, right, _ in part.items] == [
        ("task/0/000000000000", False),
        ("task/1/000000000000", True),
    ]


def test_of_several_filters_the_first_counts() -> None:
    samples = [sample(0, of="strict", exact_match=0.0), sample(0, of="flexible", exact_match=1.0)]
    assert [right for _, right, _ in harness._by_item("task", samples).items] == [False]


def test_a_task_without_right_and_wrong_is_refused() -> None:
    with pytest.raises(harness.FailedError, match="no metric that is right or wrong") as caught:
        harness._by_item("task", [sample(0, perplexity=3.2, pair=(1, 0))])
    assert caught.value.invalid


def test_without_the_harness_the_image_to_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"lmEvalTask arc: lm-eval is not in this environment; use .*lmeval\.txt"):
        lmeval.evaluate(tmp_path, "arc")
