"""The loop's runs: which have ended, and how far signals are consumed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, PodOffset, RunSummary
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation, RunSeen
from feedbackloop.domain.rfc3339 import instant, stamp

KEPT = 10
_DELETED = "the run was deleted while it was under way"


def summaries(seen: LoopObservation, now: datetime) -> tuple[RunSummary, ...]:
    """The last runs that ended, newest first; those whose objects are gone stay known."""
    known = {s.name: s for s in (*_deleted(seen, now), *seen.loop.status.runs)}
    known |= {r.name: _summary(r) for r in _ended(seen.runs)}
    ordered = sorted(known.values(), key=lambda s: (instant(s.finished_at), s.name), reverse=True)
    return tuple(ordered[:KEPT])


def _ended(runs: Iterable[RunSeen]) -> list[RunSeen]:
    return [r for r in runs if r.status.outcome is not None]


def _summary(run: RunSeen) -> RunSummary:
    return RunSummary(
        name=run.name,
        improvement_name=run.improvement,
        outcome=run.status.outcome.value if run.status.outcome else "",
        finished_at=run.status.finished_at or run.created,
        message=run.status.message,
    )


def _deleted(seen: LoopObservation, now: datetime) -> tuple[RunSummary, ...]:
    """The active run, when somebody deleted it; one that was announced but never seen is still to come."""
    status = seen.loop.status
    if status.active_run_name is None or status.active_run_uid is None:
        return ()
    if any(r.uid == status.active_run_uid for r in seen.runs):
        return ()
    return (
        RunSummary(
            name=status.active_run_name,
            improvement_name=_improvement_of(seen, status.active_run_name),
            outcome=RunOutcome.SUPERSEDED.value,
            finished_at=stamp(now),
            message=_DELETED,
        ),
    )


def _improvement_of(seen: LoopObservation, run_name: str) -> str:
    """The improvement that a run's name names; the names of runs that people made say nothing."""
    names = [i.name for i in seen.loop.spec.improvements] if seen.loop.spec else []
    return next((n for n in names if run_name.startswith(f"{seen.loop.ref.name}-{n}-")), "unknown")


def consumed(seen: LoopObservation) -> tuple[PodOffset, ...]:
    """The cuts of ended runs, pod by pod the furthest: rows stay usable, but only newer signals count."""
    offsets = {o.pod: o for o in seen.loop.status.consumed}
    for run in _ended(seen.runs):
        for offset in run.status.inputs.cut if run.status.inputs else ():
            offsets[offset.pod] = _further(offsets.get(offset.pod), offset)
    return tuple(offsets[pod] for pod in sorted(offsets))


def _further(one: PodOffset | None, other: PodOffset) -> PodOffset:
    if one is None:
        return other
    return PodOffset(pod=one.pod, offset=max(one.offset, other.offset), trainable=max(one.trainable, other.trainable))


def last_end(status: FeedbackLoopStatus, improvement: str) -> datetime | None:
    """When the last run of that improvement ended."""
    ends = [instant(r.finished_at) for r in status.runs if r.improvement_name == improvement]
    return max(ends, default=None)
