"""A loop: what serves, what was collected, and what needs a person."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.conditions import Condition, ConditionStatus, ConditionType, find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopStatus, ModelStatus
from feedbackloop.cli.kubectl import Json
from feedbackloop.cli.view.text import Style, block, columns, duration, named
from feedbackloop.domain.rfc3339 import seconds_since

_GOOD_WHEN_FALSE = frozenset({ConditionType.STALLED.value, ConditionType.REGRESSED.value})
_SUMMARY = frozenset({ConditionType.READY.value, ConditionType.RECONCILING.value})


def loop_lines(body: Json, style: Style, now: datetime) -> list[str]:
    status = FeedbackLoopStatus.model_validate(body.get("status") or {})
    head = f"{style.paint(body['metadata']['name'], 'bold')}  FeedbackLoop, {status.stage or 'not seen yet'}"
    return [
        head,
        *block(style, "Ready", _ready(style, status)),
        *block(style, "Models", _models(status, now)),
        *block(style, "Collected", [_collected(status)]),
        *block(style, "Troubles", troubles(style, status.conditions)),
        *block(style, "Runs", _runs(status, now)),
        *block(style, "Lifetime", _lifetime(status)),
        *block(style, "Suites", _suites(status)),
    ]


def _ready(style: Style, status: FeedbackLoopStatus) -> list[str]:
    ready = find_condition(status.conditions, ConditionType.READY)
    if ready is None:
        return ["the operator has not looked at it yet"]
    mark = style.mark("done" if ready.status is ConditionStatus.TRUE else "warn")
    return [f"{mark} {ready.reason}: {ready.message}"]


def troubles(style: Style, conditions: tuple[Condition, ...]) -> list[str]:
    """Conditions that are not as they should be, `Ready` and `Reconciling` aside."""
    bad = [c for c in conditions if c.type not in _SUMMARY and _is_bad(c)]
    return [f"{style.mark('warn')} {named(c)}: {c.message}" for c in bad]


def _is_bad(condition: Condition) -> bool:
    if condition.type in _GOOD_WHEN_FALSE:
        return condition.status is ConditionStatus.TRUE
    return condition.status is ConditionStatus.FALSE


def _models(status: FeedbackLoopStatus, now: datetime) -> list[str]:
    roles = (("champion", status.champion), ("previous", status.previous), ("candidate", status.candidate))
    return columns([_model(role, model, now) for role, model in roles if model is not None])


def _model(role: str, model: ModelStatus, now: datetime) -> tuple[str, ...]:
    since = f"since {duration(seconds_since(model.since, now))}" if model.since else ""
    return (role, model.short, since, f"by run {model.run_name}" if model.run_name else "declared")


def _collected(status: FeedbackLoopStatus) -> str:
    counts = status.counters
    return (
        f"{counts.accepted} accepted, {counts.trainable} trainable, {counts.bad_rows} bad rows,"
        f" {counts.duplicate} duplicates"
    )


def _runs(status: FeedbackLoopStatus, now: datetime) -> list[str]:
    rows = [(r.outcome, r.name, f"{duration(seconds_since(r.finished_at, now))} ago") for r in status.runs[:5]]
    return columns(rows)


def _lifetime(status: FeedbackLoopStatus) -> list[str]:
    stands = status.lifetime
    if stands is None:
        return []
    return [f"{stands.promotions} promotions in {stands.decisions} decisions; the next at level {stands.next_level}"]


def _suites(status: FeedbackLoopStatus) -> list[str]:
    return columns(
        [(s.suite, s.digest.removeprefix("sha256:")[:12], f"decided {s.looks} times") for s in status.suites]
    )
