"""The loop's status as a projection of what was observed and decided: conditions, counters, Events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedbackloop.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Reason,
    drop_condition,
    find_condition,
    set_condition,
)
from feedbackloop.api.feedbackloop import Counters, FeedbackLoopStatus
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.domain.findings import Finding, to_condition
from feedbackloop.domain.lifecycle.loop_effects import Announcement
from feedbackloop.domain.rfc3339 import instant, stamp

COUNTS_EVERY = timedelta(seconds=60)
ABNORMAL = (ConditionType.STALLED, ConditionType.RECONCILING)
"""Present only while they are true."""
_ANNOUNCED = (ConditionType.STALLED, ConditionType.TARGET_ADOPTED, ConditionType.COLLECTION_READY)
_ANNOUNCED_WHEN_BAD = (
    ConditionType.STORAGE_REACHABLE,
    ConditionType.KEYS_ERASABLE,
    ConditionType.REGRESSED,
    ConditionType.SUITES_FRESH,
)
_BAD_WHEN_TRUE = frozenset({ConditionType.STALLED.value, ConditionType.REGRESSED.value})
_PROGRESS = frozenset({Reason.ADOPTING.value, Reason.GATEWAY_STARTING.value, Reason.DELETING.value})


@dataclass(frozen=True)
class Summary:
    """What `Ready`, `Reconciling` and `Stalled` say."""

    ready: bool
    reason: Reason
    message: str
    stalled: bool = False


def project(
    before: FeedbackLoopStatus,
    status: FeedbackLoopStatus,
    *,
    summary: Summary,
    findings: Iterable[Finding] = (),
    absent: Iterable[ConditionType] = (),
    generation: int,
    now: datetime,
) -> FeedbackLoopStatus:
    """The status with its conditions, changed counts only where something else changed or a minute has passed.

    Conditions of the types `absent` go unless a finding names them.
    """
    found = (*findings, *_kstatus(summary))
    conditions = before.conditions
    for type_ in set(absent) - {f.type for f in found}:
        conditions = drop_condition(conditions, type_.value)
    for finding in found:
        conditions = _set(conditions, finding, generation=generation, now=now)
    full = status.model_copy(update={"conditions": conditions, "observed_generation": generation})
    return _damped(before, full, now)


def _kstatus(summary: Summary) -> tuple[Finding, ...]:
    ready, reason, message = summary.ready, summary.reason, summary.message
    return (
        Finding(ConditionType.READY, ready, reason, message),
        Finding(ConditionType.STALLED, summary.stalled, reason, message),
        Finding(ConditionType.RECONCILING, not ready and not summary.stalled, reason, message),
    )


def _set(
    conditions: tuple[Condition, ...], finding: Finding, *, generation: int, now: datetime
) -> tuple[Condition, ...]:
    if finding.type in ABNORMAL and not finding.status:
        return drop_condition(conditions, finding.type.value)
    return set_condition(conditions, to_condition(finding, at=stamp(now), generation=generation))


def _damped(before: FeedbackLoopStatus, after: FeedbackLoopStatus, now: datetime) -> FeedbackLoopStatus:
    """At rest nothing is written: counts alone are news once a minute, and the time of asking never is."""
    quiet = after.model_copy(update={"counters": before.counters})
    if quiet != before:
        return after
    seen_at = before.counters.observed_at
    same = after.counters.model_copy(update={"observed_at": seen_at}) == before.counters
    recent = seen_at is not None and now < instant(seen_at) + COUNTS_EVERY
    return before if same or recent else after


def counters(gateways: Iterable[GatewayStatus], now: datetime) -> Counters:
    """What all pods have counted."""
    pods = tuple(gateways)
    return Counters(
        accepted=sum(g.stored for g in pods),
        duplicate=sum(g.duplicate for g in pods),
        bad_rows=sum(g.bad_rows for g in pods),
        trainable=sum(g.appended.trainable for g in pods),
        observed_at=stamp(now),
    )


def announcements(before: FeedbackLoopStatus, after: FeedbackLoopStatus) -> tuple[Announcement, ...]:
    """An Event for every transition that a person may want to know of."""
    changed = (_changed(before, after, t.value) for t in (*_ANNOUNCED, *_ANNOUNCED_WHEN_BAD))
    told = [_condition_event(c) for c in changed if c is not None]
    return (*(t for t in told if t is not None), *_champion_event(before, after))


def _changed(before: FeedbackLoopStatus, after: FeedbackLoopStatus, type_: str) -> Condition | None:
    old, new = find_condition(before.conditions, type_), find_condition(after.conditions, type_)
    if new is None or (old is not None and (old.status, old.reason) == (new.status, new.reason)):
        return None
    return new


def _condition_event(condition: Condition) -> Announcement | None:
    """Nothing while it cannot be told, and nothing of a service that was never away."""
    good = (condition.status == ConditionStatus.TRUE) != (condition.type in _BAD_WHEN_TRUE)
    if condition.status == ConditionStatus.UNKNOWN or (good and condition.type in _ANNOUNCED_WHEN_BAD):
        return None
    normal = good or condition.reason in _PROGRESS
    return Announcement("Normal" if normal else "Warning", Reason(condition.reason), condition.type, condition.message)


def _champion_event(before: FeedbackLoopStatus, after: FeedbackLoopStatus) -> tuple[Announcement, ...]:
    old, new = before.champion, after.champion
    if old is None or new is None or old.digest == new.digest:
        return ()
    by = f"run {new.run_name}" if new.run_name else "spec.target.model"
    back = old.run_name is not None and after.previous is None
    reason = Reason.ROLLED_BACK if back else Reason.PROMOTED
    note = f"champion is now {new.short} (before: {old.short}), by {by}"
    return (Announcement("Warning" if back else "Normal", reason, "ChampionChanged", note),)
