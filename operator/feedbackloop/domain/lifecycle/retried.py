"""A candidate that is rolled out once more: a new run with the inputs, stages and gates of one that has ended.

Nothing is trained or evaluated again; the new run's UID gives a new salt, and there is no evidence yet.
The rules of the rollout are those of today: they are no input of the candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from feedbackloop.api import ANNOTATION_ACTION, API_VERSION, LABEL_LOOP
from feedbackloop.api.conditions import Condition, ConditionStatus, ConditionType, Reason, find_condition
from feedbackloop.api.gateway import LoopRef
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunInputs
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import owner_reference
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.action_seen import RunOfAction
from feedbackloop.domain.lifecycle.run_plan import units_seen
from feedbackloop.domain.lifecycle.run_seen import LoopSeen
from feedbackloop.domain.lifecycle.run_turn import Turn

_AGAIN = re.compile(r"-r[1-9][0-9]*$")
_KEPT = (
    ConditionType.DATASET_READY,
    ConditionType.NAMED_ENTITIES_REDACTED,
    ConditionType.GATE_UNDERPOWERED,
    ConditionType.TRAINED,
    ConditionType.EVALUATED,
    ConditionType.GATES_PASSED,
)


def refusal(name: str, status: ImprovementRunStatus, loop: LoopSeen | None) -> str:
    """Why the candidate of this run cannot be rolled out again; empty when it can."""
    if status.outcome is None:
        return f"run {name} is still under way; only the candidate of a run that has ended is rolled out again"
    if status.inputs is None or status.candidate is None:
        return f"run {name} has no candidate"
    if not _gates_passed(status):
        return f"the gates of run {name} did not pass: its candidate gets no traffic"
    return _obstacle(name, status, status.inputs, loop)


def _gates_passed(status: ImprovementRunStatus) -> bool:
    passed = find_condition(status.conditions, ConditionType.GATES_PASSED)
    return passed is not None and passed.status is ConditionStatus.TRUE


def _obstacle(name: str, status: ImprovementRunStatus, inputs: RunInputs, loop: LoopSeen | None) -> str:
    """What has changed since: the gates compared the candidate with the champion of then."""
    if loop is None or loop.deleting or loop.uid != inputs.loop_uid:
        return f"the loop of run {name} is gone"
    champion = loop.status.champion
    if champion is None:
        return "the loop has no champion yet"
    if status.candidate is not None and champion.digest == status.candidate.digest:
        return f"the candidate of run {name} is the champion"
    if champion.digest != inputs.champion.digest:
        return f"the champion is {champion.short} now; the gates of run {name} compared with {inputs.champion.short}"
    return ""


def next_name(name: str, taken: Iterable[str]) -> str:
    """`<run>-r<k>`, with the first free k; a retry of a retry counts on."""
    base, names = _AGAIN.sub("", name), set(taken)
    return next(n for k in range(1, len(names) + 2) if (n := f"{base}-r{k}") not in names)


def run_object(run: RunOfAction, action_uid: str, taken: Iterable[str]) -> dict[str, Any]:
    """The new ImprovementRun."""
    assert run.status.inputs is not None
    loop = LoopRef(namespace=run.namespace, name=run.spec.loop_name, uid=run.status.inputs.loop_uid)
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {
            "name": next_name(run.name, taken),
            "namespace": run.namespace,
            "labels": {LABEL_LOOP: loop.name, "app.kubernetes.io/managed-by": "feedbackloop"},
            "annotations": {ANNOTATION_ACTION: action_uid},
            "ownerReferences": [owner_reference(loop)],
        },
        "spec": {**run.spec.to_wire(), "retryOf": run.name},
    }


def adopt(turn: Turn, source: str, before: ImprovementRunStatus, loop: LoopSeen) -> Turn:
    """Everything that the run before has found out about its candidate."""
    inputs = before.inputs
    assert inputs is not None
    today = {
        "pinned_spec": _with_rollout(inputs.pinned_spec, loop),
        "units": units_seen(loop.spec.rollout, turn.seen.gateways),
    }
    turn = turn.update(
        inputs=inputs.model_copy(update=today),
        started_at=turn.at,
        stages=before.stages,
        dataset=before.dataset,
        candidate=before.candidate,
        gates=before.gates,
        conditions=tuple(sorted([*turn.status.conditions, *_kept(turn, before)], key=lambda c: c.type)),
    )
    short = before.candidate.short if before.candidate else ""
    return turn.record(Reason.PROGRESSING, f"candidate {short} of run {source} is rolled out again; nothing is trained")


def _kept(turn: Turn, before: ImprovementRunStatus) -> list[Condition]:
    found = (find_condition(before.conditions, kind) for kind in _KEPT)
    update = {"observed_generation": turn.seen.generation}
    return [c.model_copy(update=update) for c in found if c is not None]


def _with_rollout(text: str, loop: LoopSeen) -> str:
    spec = pinned(text)
    if loop.spec.rollout is None:
        return text
    return naming.canonical_json(spec.model_copy(update={"rollout": loop.spec.rollout}).to_wire())


def attempt(before: ImprovementRunStatus | None) -> int:
    """How often the candidate was rolled out before."""
    if before is None or before.rollout is None:
        return 0
    return before.rollout.attempt + 1
