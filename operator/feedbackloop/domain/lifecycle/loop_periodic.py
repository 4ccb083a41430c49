"""What a loop does every now and then, as Jobs: which is due, and what its end means.

A Job's name follows from the loop's uid and the end of the one before it, which stands in status: looking again
finds the same one, and the next one has another name. At rest, between two periods, nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import AssessmentsStatus, FeedbackLoopStatus, PodOffset, RetentionStatus
from feedbackloop.api.jobs import AssessResult, Result, SweepResult
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.children.periodic_jobs import Periodic, periodic_job
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.jobs import periodic as specs
from feedbackloop.domain.jobs.periodic import Surroundings
from feedbackloop.domain.lifecycle.loop_effects import Create, Delete, Effect
from feedbackloop.domain.lifecycle.loop_observation import Due, LoopFacts, LoopObservation, PeriodicSeen
from feedbackloop.domain.rfc3339 import instant, stamp

R = TypeVar("R", bound=Result)
FAILED = "the job failed without a result; its pod's log says why"


def due(facts: LoopFacts, now: datetime) -> tuple[Due, ...]:
    """The periodic jobs whose time has come, or that are under way."""
    if facts.spec is None or not facts.created:
        return ()
    sweep_seconds, assess_seconds = (
        facts.spec.retention.sweep_period_seconds,
        facts.spec.registry.assessments_period_seconds,
    )
    retention, assessments = facts.status.retention, facts.status.assessments
    swept = _ended(retention.attempted_at if retention else None, facts)
    found = []
    if _confirmed(facts) or now >= swept + timedelta(seconds=sweep_seconds):
        found.append(Due(Periodic.SWEEP.value, _run_id(facts, Periodic.SWEEP, swept, facts.confirmed_sweep)))
    if assess_seconds is not None:
        assessed = _ended(assessments.attempted_at if assessments else None, facts)
        if now >= assessed + timedelta(seconds=assess_seconds):
            found.append(Due(Periodic.ASSESS.value, _run_id(facts, Periodic.ASSESS, assessed, "")))
    return tuple(found)


def _ended(attempted_at: str | None, facts: LoopFacts) -> datetime:
    """When the last one ended; a loop's first one is due a period after its creation."""
    return instant(attempted_at or facts.created)


def _confirmed(facts: LoopFacts) -> bool:
    """Somebody has set another confirmation since the last sweep."""
    known = facts.status.retention.confirmed if facts.status.retention else ""
    return bool(facts.confirmed_sweep) and facts.confirmed_sweep != known


def _run_id(facts: LoopFacts, what: Periodic, after: datetime, confirmation: str) -> str:
    identity = {"loop": facts.ref.uid, "after": stamp(after), "confirmation": confirmation}
    return naming.run_id(what.value, identity)


@dataclass(frozen=True)
class Outcome:
    """What the periodic jobs change."""

    status: dict[str, Any]
    effects: tuple[Effect, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide(seen: LoopObservation, around: Surroundings, admin: AdminConfig, now: datetime) -> Outcome:
    """For every job that is due: make it, wait for it, or take its end into the status."""
    status: dict[str, Any] = {}
    effects: list[Effect] = []
    for each in seen.periodic:
        ended, ended_effects = _look(each, seen, around, admin, now)
        status |= ended
        effects += ended_effects
    retention = status.get("retention", around.status.retention)
    return Outcome(status, tuple(effects), tuple(_verified(retention, legal_hold=around.spec.retention.legal_hold)))


def _look(
    each: PeriodicSeen, seen: LoopObservation, around: Surroundings, admin: AdminConfig, now: datetime
) -> tuple[dict[str, Any], list[Effect]]:
    if each.away:
        return {}, []
    sweeps = each.due.what == Periodic.SWEEP
    result = _accepted(each, SweepResult if sweeps else AssessResult)
    over = each.job is not None and (each.complete or each.failed)
    if result is None and not over:
        return {}, [] if each.job is not None else _started(each.due, seen, around, admin)
    done: list[Effect] = [Delete(each.job)] if each.job is not None else []
    if isinstance(result, SweepResult) or sweeps:
        swept = result if isinstance(result, SweepResult) else None
        return {"retention": _swept(around.status, swept, seen.loop.confirmed_sweep, now)}, done
    assessed = result if isinstance(result, AssessResult) else None
    return {"assessments": _assessed(around.status, assessed, now)}, done


def _accepted(each: PeriodicSeen, kind: type[R]) -> R | None:
    """Its result, if there is one; a file under its own name that is none is as good as none."""
    if each.result is None:
        return None
    try:
        result = kind.model_validate(each.result)
    except ValidationError:
        return None
    return result if result.run_id == each.due.run_id else None


def _started(due: Due, seen: LoopObservation, around: Surroundings, admin: AdminConfig) -> list[Effect]:
    """The Job, unless something else must come first."""
    loop = seen.loop.ref
    if due.what == Periodic.ASSESS:
        if seen.gateways is None:
            return []
        told = specs.assess(around, due.run_id, admin, seen.gateways)
        return [] if told is None else [_create(periodic_job(loop, Periodic.ASSESS, told, admin.jobs, around.spec))]
    if _reads_events(seen):
        return []
    spec = specs.sweep(around, due.run_id, force=_confirmed(seen.loop))
    return [_create(periodic_job(loop, Periodic.SWEEP, spec, admin.jobs, around.spec))]


def _create(body: Json) -> Effect:
    return Create(body)


def _reads_events(seen: LoopObservation) -> bool:
    """Whether a run is building its data set: what it is about to read must not expire under its hands."""
    return seen.active is not None and seen.active.status.outcome is None and seen.active.status.dataset is None


def _swept(before: FeedbackLoopStatus, result: SweepResult | None, confirmed: str, now: datetime) -> RetentionStatus:
    old = before.retention or RetentionStatus()
    ended = {"attempted_at": stamp(now), "confirmed": confirmed}
    if result is None:
        return old.model_copy(update={**ended, "verified": False, "message": FAILED})
    return RetentionStatus(
        **ended,
        last_sweep_at=result.swept_at or old.last_sweep_at,
        deleted=sum(result.deleted.values()),
        kept=sum(result.kept.values()),
        verified=result.verified,
        message=_told(result),
    )


def _told(result: SweepResult) -> str:
    parts = [f"deleted {_counts(result.deleted)}" if result.deleted else "nothing had to be deleted"]
    parts += [f"kept {_counts(result.kept)}"] if result.kept else []
    parts += [result.message] if result.message else []
    if result.kept.get("too-many"):
        parts.append(
            "more than half of a class would go at once; annotation feedbackloop.dev/confirm-sweep confirms it"
        )
    return "; ".join(parts)


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def _assessed(before: FeedbackLoopStatus, result: AssessResult | None, now: datetime) -> AssessmentsStatus:
    old = before.assessments or AssessmentsStatus()
    if result is None:
        return old.model_copy(update={"attempted_at": stamp(now), "message": FAILED})
    return AssessmentsStatus(
        attempted_at=stamp(now), until=_furthest(old.until, result.until), assessments=result.assessments
    )


def _furthest(one: Iterable[PodOffset], other: Iterable[PodOffset]) -> tuple[PodOffset, ...]:
    """A pod that did not answer this time keeps its place."""
    found = {offset.pod: offset for offset in (*one, *other)}
    return tuple(found[pod] for pod in sorted(found))


def _verified(status: RetentionStatus | None, *, legal_hold: bool) -> Iterable[Finding]:
    """Nothing is said before the first sweep."""
    type_ = ConditionType.RETENTION_VERIFIED
    if legal_hold:
        yield Finding(type_, False, Reason.LEGAL_HOLD, "nothing is deleted: spec.retention.legalHold is true")
    elif status is not None and status.message == FAILED:
        yield Finding(type_, False, Reason.SWEEP_FAILED, f"the last sweep: {status.message}")
    elif status is not None and not _harmless(status):
        yield Finding(type_, False, Reason.SWEEP_HELD, status.message)
    elif status is not None:
        reason = Reason.SWEPT if status.verified else Reason.SWEEP_FAILED
        yield Finding(type_, status.verified, reason, status.message)


def _harmless(status: RetentionStatus) -> bool:
    """What was kept is in use, or goes with the next sweep."""
    return not any(reason in status.message for reason in ("too-many", "clock", "legal-hold"))
