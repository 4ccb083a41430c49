"""The evaluation in MLflow: accuracies, the gate table, every gate's items, and the gates as a page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from feedbackloop.api.jobs import JudgeQuality
from feedbackloop.domain.gates import Evidence, ItemRow
from feedbackloop.jobs.evaluate import picture
from feedbackloop.jobs.evaluate.axes import axes, draw
from feedbackloop.jobs.evaluate.picture import Accuracy
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
    "effect",
    "type",
    "metric",
    "suite",
    "suite_digest",
    "look",
    "alpha",
    "clusters",
    "evidence_digest",
)
ITEM_COLUMNS = ("id", "intent", "champion", "candidate", "change", "champion_answer", "candidate_answer")
TABLE, PAGE = "evaluate/gates.json", "evaluate/gates.html"


def log(tracker: Tracker, accuracy: Accuracy, kept: Sequence[Evidence], judge: JudgeQuality | None = None) -> None:
    """Everything that the UI shows of an evaluation."""
    models = kept[0].models if kept else {}
    tracker.parameters({f"evaluate.{name}_digest": digest for name, digest in models.items()})
    tracker.measures(measures(accuracy, kept, judge))
    tracker.table(TABLE, columns(kept))
    for one in kept:
        tracker.table(f"evaluate/items/{one.gate.name}.json", items(one.items))
        tracker.text(f"evaluate/evidence/{one.gate.name}.json", one.document().decode())
    for number, axis in enumerate(axes(kept), 1):
        tracker.text(f"evaluate/intervals-{number}.svg", draw(axis))
    tracker.text(PAGE, picture.page(kept, accuracy, judge))


def measures(accuracy: Accuracy, kept: Sequence[Evidence], judge: JudgeQuality | None = None) -> Iterator[Measure]:
    now = int(time.time() * 1000)
    for suite, shares in accuracy.items():
        for model, share in shares.items():
            yield Measure(f"evaluate.{suite}.{model}", share, now)
    for one in kept:
        name, found = f"gate.{one.gate.name}", one.verdict
        yield Measure(f"{name}.passed", float(found.verdict == "Successful"), now)
        for count in ("n", "both", "only_champion", "only_candidate"):
            yield Measure(f"{name}.{count}", float(getattr(found, count)), now)
        if found.estimate is not None:
            yield Measure(f"{name}.estimate", float(found.estimate), now)
    if judge is not None:
        yield Measure("judge.agreement", judge.agreement, now)
        yield Measure("judge.kappa", judge.kappa, now)


def columns(kept: Sequence[Evidence]) -> dict[str, list[Any]]:
    """The gate table, a list for each column."""
    results = [one.verdict.model_copy(update={"evidence_digest": one.digest}) for one in kept]
    return {name: [getattr(result, name) for result in results] for name in COLUMNS}


def items(rows: Sequence[ItemRow]) -> dict[str, list[Any]]:
    """A gate's items, those that changed sides first."""
    ordered = sorted(rows, key=lambda row: (not row.lost, not row.gained))
    found = {name: [getattr(row, name, None) for row in ordered] for name in ITEM_COLUMNS}
    return found | {"change": ["lost" if row.lost else "gained" if row.gained else "" for row in ordered]}
