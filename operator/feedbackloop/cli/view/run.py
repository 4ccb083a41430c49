"""A run: its stages, its gates, its rollout, and what it waits for."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.conditions import ConditionStatus, ConditionType, find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, LifetimeStatus
from feedbackloop.api.improvementrun import GateResult, ImprovementRunStatus, RunOutcome, StageState, StageStatus
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.cli.kubectl import Json
from feedbackloop.cli.view.rollout import rollout_lines
from feedbackloop.cli.view.text import WIDE, Style, block, columns, duration
from feedbackloop.domain.lifetime import next_level
from feedbackloop.domain.rfc3339 import instant, seconds_since
from feedbackloop.domain.rollout.following import followed

_STATES = {
    StageState.SUCCEEDED: "done",
    StageState.FAILED: "failed",
    StageState.STOPPED: "warn",
    StageState.WAITING: "warn",
    StageState.RUNNING: "now",
}
VERDICTS = {Verdict.SUCCESSFUL: "done", Verdict.FAILED: "failed", Verdict.INCONCLUSIVE: "open", Verdict.ERROR: "warn"}
_ENDS = {RunOutcome.PROMOTED: "green", RunOutcome.COMPLETED: "green", RunOutcome.FAILED: "red"}
_LAST = 4


def run_lines(body: Json, style: Style, now: datetime, loop: Json | None = None) -> list[str]:
    """With its loop, as that says which steps are followed and what the loop's life asks of a decision."""
    status = ImprovementRunStatus.model_validate(body.get("status") or {})
    rules = _rules(status)
    rollout = [] if status.rollout is None or rules is None else rollout_lines(style, status, *_now(rules, loop), now)
    return [
        _head(style, body, status, now),
        *block(style, "Models", _models(status)),
        *block(style, "Waits for" if status.outcome is None else "Ended", _says(status)),
        *block(style, "Stages", [_stage(style, s, now) for s in status.stages]),
        *block(style, "Gates", _gates(style, status.gates)),
        *rollout,
        *block(style, "Decisions", _decisions(status, now)),
    ]


def _rules(status: ImprovementRunStatus) -> Rollout | None:
    if status.inputs is None:
        return None
    return FeedbackLoopSpec.model_validate_json(status.inputs.pinned_spec).rollout


def _now(rules: Rollout, loop: Json | None) -> tuple[Rollout, float | None]:
    """The pinned rules with the steps that are followed; the level that the loop gives to the decision, if it does."""
    if loop is None:
        return rules, None
    spec = FeedbackLoopSpec.model_validate(loop["spec"])
    stands = FeedbackLoopStatus.model_validate(loop.get("status") or {}).lifetime or LifetimeStatus()
    level = next_level(rules.lifetime, stands.decisions, stands.promotions) if rules.lifetime else None
    return followed(rules, spec.rollout.steps if spec.rollout else None), level


def _head(style: Style, body: Json, status: ImprovementRunStatus, now: datetime) -> str:
    name, spec = style.paint(body["metadata"]["name"], "bold"), body["spec"]
    again = f", retry of {spec['retryOf']}" if "retryOf" in spec else ""
    stage = status.outcome.value if status.outcome else status.stage or "not seen yet"
    shown = style.paint(stage, _ENDS.get(status.outcome, "yellow") if status.outcome else "blue")
    if status.started_at is None:
        return f"{name}  ImprovementRun{again}, {shown}"
    end = instant(status.finished_at) if status.finished_at else now
    took = duration(seconds_since(status.started_at, end))
    return f"{name}  ImprovementRun{again}, {shown} {'after' if status.finished_at else 'for'} {took}"


def _models(status: ImprovementRunStatus) -> list[str]:
    champion = f"champion {status.inputs.champion.short}" if status.inputs else ""
    candidate = f"candidate {status.candidate.short}" if status.candidate else ""
    version = f"version {status.mlflow.model_version}" if status.mlflow.model_version else ""
    words = [word for word in (champion, candidate, version) if word]
    return [", ".join(words)] if words else []


def _says(status: ImprovementRunStatus) -> list[str]:
    """What it is at; while a person must act, that first."""
    stalled = find_condition(status.conditions, ConditionType.STALLED)
    if stalled is not None and stalled.status is ConditionStatus.TRUE:
        return [f"{stalled.reason}: {stalled.message}"]
    reason = find_condition(status.conditions, ConditionType.RECONCILING)
    head = f"{reason.reason}: " if reason is not None and status.outcome is None else ""
    return [f"{head}{status.message or status.stage}"] if status.message or status.stage else []


def _stage(style: Style, stage: StageStatus, now: datetime) -> str:
    end = instant(stage.finished_at) if stage.finished_at else now
    attempts = f", attempt {stage.attempt}" if stage.attempt > 1 else ""
    progress = ""
    if stage.progress is not None and stage.state is StageState.RUNNING and stage.progress.total:
        left = stage.progress.remaining_seconds
        progress = f", step {stage.progress.step} of {stage.progress.total}"
        progress += f", {duration(left)} left" if left else ""
    why = f": {stage.message}" if stage.message else ""
    took = duration(seconds_since(stage.started_at, end))
    return f"{style.mark(_STATES[stage.state])} {stage.name.value:<9}{took}{attempts}{progress}{why}"


def _gates(style: Style, gates: tuple[GateResult, ...]) -> list[str]:
    rows = [_gate(style, gate) for gate in gates]
    table = columns(rows)
    return [line for gate, row in zip(gates, table, strict=True) for line in (row, *_why(gate))]


def _gate(style: Style, gate: GateResult) -> tuple[str, ...]:
    name = gate.name if gate.effect == "Required" else f"{gate.name} (advisory)"
    interval = f"[{gate.lower}, {gate.upper}]" if gate.lower is not None and gate.upper is not None else ""
    p_value = f"p {gate.p_value}" if gate.p_value is not None else ""
    return (
        f"{style.mark(VERDICTS[gate.verdict])} {name}",
        *((gate.type,) if style.width >= WIDE else ()),
        f"n {gate.n}",
        f"{gate.estimate or ''} {interval}".strip(),
        p_value,
    )


def _why(gate: GateResult) -> list[str]:
    """Only of a gate that has not passed: its message repeats the numbers."""
    return [] if gate.verdict is Verdict.SUCCESSFUL or not gate.message else [f"    {gate.message}"]


def _decisions(status: ImprovementRunStatus, now: datetime) -> list[str]:
    last = status.decisions[-_LAST:]
    return [f"{duration(seconds_since(d.at, now))} ago  {d.what}: {d.why}" for d in last]
