"""Gates on a task of lm-evaluation-harness, which asks in its own way and says right or wrong by item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from feedbackloop.api.evaluation import Metric
from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.domain.gates import ItemRow
from feedbackloop.jobs import lmeval
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.evaluate.evidence import Scored

Harness = Callable[[Path, str], lmeval.Scored]


def check(spec: EvaluateSpec) -> None:
    """A task has its own metric and its own items; InvalidSpec for a gate that wants others."""
    tasks = {suite.name for suite in spec.suites if suite.source.lm_eval_task is not None}
    for gate in spec.gates:
        if (gate.metric is Metric.LM_EVAL) is not (gate.suite in tasks) and gate.metric is not Metric.MODEL_BYTES:
            raise InvalidSpec(
                f"gates.{gate.name}.metric: a suite of lmEvalTask and metric lm_eval belong together;"
                f" suite {gate.suite} is {'such' if gate.suite in tasks else 'no such'} suite"
            )
        if gate.suite in tasks and gate.slice is not None:
            raise InvalidSpec(f"gates.{gate.name}.slice: items of lm-evaluation-harness have no topics, so no slices")


def tasks(spec: EvaluateSpec) -> dict[str, str]:
    """The task of every suite that some gate scores with it."""
    wanted = {gate.suite for gate in spec.gates if gate.metric is Metric.LM_EVAL}
    return {s.name: s.source.lm_eval_task for s in spec.suites if s.source.lm_eval_task and s.name in wanted}


def scored(spec: EvaluateSpec, places: Mapping[str, Path], harness: Harness = lmeval.evaluate) -> dict[str, Scored]:
    """By suite: both models on the very same items."""
    return {
        suite: _paired(task, harness(places["champion"], task), harness(places["candidate"], task))
        for suite, task in tasks(spec).items()
    }


def _paired(task: str, champion: lmeval.Scored, candidate: lmeval.Scored) -> Scored:
    same = (champion.digest, champion.scorer) == (candidate.digest, candidate.scorer)
    if not same or [name for name, _ in champion.items] != [name for name, _ in candidate.items]:
        raise InvalidDataset(f"lmEvalTask {task}: champion and candidate were not asked the same items")
    pairs = zip(champion.items, candidate.items, strict=True)
    rows = tuple(ItemRow(name, right, other) for (name, right), (_, other) in pairs)
    return Scored(rows, champion.digest, champion.scorer)
