"""The late watch: votes that come after a promotion are still counted, and harm found then is told.

The looks go on where the rollout left them, so the evidence stays one e-process. Nothing is taken back by
itself: the loop says `Regressed`, and how to go back.
"""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import OutcomeStatus, RolloutStatus, Verdict
from feedbackloop.domain.evidence.looks import close_looks
from feedbackloop.domain.evidence.outcome import describe, describe_estimate, evaluate_looks
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_turn import Turn
from feedbackloop.domain.rfc3339 import seconds_since


def rules(status: ImprovementRunStatus) -> Rollout | None:
    """The pinned rules of a run."""
    return pinned(status.inputs.pinned_spec).rollout if status.inputs else None


def watched(status: ImprovementRunStatus, now: datetime) -> bool:
    """Whether late votes about this promoted run still count."""
    spec = rules(status)
    if status.outcome is not RunOutcome.PROMOTED or status.rollout is None or status.finished_at is None or not spec:
        return False
    return not harmed(status) and 0 <= seconds_since(status.finished_at, now) < spec.watch_seconds


def harmed(status: ImprovementRunStatus) -> tuple[OutcomeStatus, ...]:
    """The outcomes that show harm."""
    outcomes = status.rollout.outcomes if status.rollout else ()
    return tuple(o for o in outcomes if o.verdict is Verdict.FAILED)


def watch(turn: Turn) -> Turn:
    """What is left to do once a run is over and settled: nothing, or the looks at late votes."""
    if turn.status.outcome is None:
        return turn
    spec, rollout = rules(turn.status), turn.status.rollout
    if spec is None or rollout is None or not watched(turn.status, turn.now):
        return turn.hold(None)
    return _look(turn, spec, rollout).hold(turn.admin.limits.poll_idle_seconds)


def _look(turn: Turn, spec: Rollout, rollout: RolloutStatus) -> Turn:
    closed = close_looks(spec, rollout, turn.seen.gateways or (), turn.seen.uid, turn.now)
    if not closed:
        return turn
    looks = (*rollout.looks, *closed)
    outcomes = tuple(evaluate_looks(o, looks, len(spec.outcomes)) for o in spec.outcomes)
    turn = turn.update(rollout=rollout.model_copy(update={"looks": looks, "outcomes": outcomes}))
    return turn.record(Reason.LATE_HARM, evidence(turn.status), warning=True) if harmed(turn.status) else turn


def evidence(status: ImprovementRunStatus) -> str:
    """The outcomes that show harm, with their numbers."""
    spec = rules(status)
    if spec is None:
        return ""
    declared = {o.name: o for o in spec.outcomes}
    found = [(declared[o.name], o) for o in harmed(status) if o.name in declared]
    return "; ".join(f"{describe(d, o, len(declared))}, {describe_estimate(d, o)}" for d, o in found)
