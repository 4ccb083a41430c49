"""The evaluation in MLflow: accuracies, the gate table, and the gates as a picture."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedbackloop.api.improvementrun import GateResult
from feedbackloop.jobs.evaluate import picture
from feedbackloop.jobs.tracker import Measure, Tracker

COLUMNS = (
    "name",
    "verdict",
    "n",
    "both",
    "only_champion",
    "only_candidate",
    "estimate",
    "lower",
    "upper",
    "p_value",
    "required_n",
    "message",
)
TABLE, PICTURE = "evaluate/gates.json", "evaluate/gates.html"


Accuracy = Mapping[str, Mapping[str, float]]


def log(tracker: Tracker, accuracy: Accuracy, results: Sequence[GateResult], digests: Mapping[str, str]) -> None:
    """Everything that the UI shows of an evaluation."""
    tracker.parameters({f"evaluate.{name}_digest": digest for name, digest in digests.items()})
    tracker.measures(measures(accuracy, results))
    tracker.table(TABLE, columns(results))
    tracker.text(PICTURE, picture.page(results, accuracy))


def measures(accuracy: Accuracy, results: Sequence[GateResult]) -> Iterator[Measure]:
    now = int(time.time() * 1000)
    for suite, shares in accuracy.items():
        for model, share in shares.items():
            yield Measure(f"evaluate.{suite}.{model}", share, now)
    for result in results:
        yield Measure(f"gate.{result.name}.passed", float(result.verdict == "Successful"), now)
        for name in ("n", "both", "only_champion", "only_candidate"):
            yield Measure(f"gate.{result.name}.{name}", float(getattr(result, name)), now)


def columns(results: Sequence[GateResult]) -> dict[str, list[Any]]:
    """The gate table, a list for each column."""
    return {name: [getattr(result, name) for result in results] for name in COLUMNS}
