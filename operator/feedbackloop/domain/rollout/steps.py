"""Declared steps that wait for weight, time or evidence: `setWeight`, `pause` and `analysis`."""

from __future__ import annotations

from datetime import timedelta

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import Analysis, Outcome, Until
from feedbackloop.api.rolloutstatus import OutcomeStatus, Verdict
from feedbackloop.domain.rfc3339 import instant, stamp
from feedbackloop.domain.rollout import guardrails
from feedbackloop.domain.rollout.capacity import awaited
from feedbackloop.domain.rollout.evidence import evidence, standing
from feedbackloop.domain.rollout.intents import next_step, record, routed
from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def set_weight(s: Situation) -> Move | Hold | None:
    """Capacity first, then the weight, and on once every gateway pod has applied it."""
    weight = s.step.set_weight if s.step else None
    if weight is None:
        return None
    if s.status.weight == weight:
        return Move(next_step(s))
    waiting = awaited(s, weight)
    if waiting is not None:
        return waiting
    why = f"step {s.status.step_index + 1} of {len(s.spec.steps)}: weight {s.status.weight} to {weight}"
    return Move(routed(s.status, weight, s.now), record(s, Reason.WEIGHT_APPLYING, why))


def analysis(s: Situation) -> Move | Hold | None:
    """Done when every guardrail has enough requests in this epoch and every named outcome its evidence."""
    step = s.step.analysis if s.step else None
    if step is None:
        return None
    requests = guardrails.waiting(s)
    undecided = [name for name in step.outcome_names if not _has_evidence(s, step, name)]
    if requests or undecided:
        return Hold(Reason.COLLECTING_EVIDENCE, _collecting(s, step, requests))
    return Move(next_step(s), record(s, *_found(s, step)))


def pause(s: Situation) -> Move | Hold | None:
    """For a time, or until a person goes on."""
    step = s.step.pause if s.step else None
    if step is None:
        return None
    which = f"step {s.status.step_index + 1} of {len(s.spec.steps)}"
    if step.duration_seconds is None:
        return Hold(Reason.PAUSE_STEP, f"{which}: paused until a person promotes or resumes")
    if s.elapsed(s.status.step_since) >= step.duration_seconds:
        return Move(next_step(s))
    until = instant(s.status.step_since or stamp(s.now)) + timedelta(seconds=step.duration_seconds)
    return Hold(Reason.PAUSE_STEP, f"{which}: paused until {stamp(until)}")


def _has_evidence(s: Situation, step: Analysis, name: str) -> bool:
    outcome = next((o for o in s.spec.outcomes if o.name == name), None)
    status = next((o for o in s.status.outcomes if o.name == name), None)
    if outcome is None or status is None:
        return False
    return status.verdict is Verdict.SUCCESSFUL if step.until is Until.DECISION else _rated(outcome, status)


def _rated(outcome: Outcome, status: OutcomeStatus) -> bool:
    """An outcome that need not be decided here has its evidence once enough units are rated."""
    return status.stable.rated + status.canary.rated >= outcome.min_rated_units


def _collecting(s: Situation, step: Analysis, requests: list[str]) -> str:
    waiting = f"waiting for canary requests: {', '.join(requests)}" if requests else ""
    return "; ".join(part for part in (waiting, standing(s, step.outcome_names)) if part)


def _found(s: Situation, step: Analysis) -> tuple[Reason, str]:
    within = "; ".join(str(r) for r in s.readings)
    if not step.outcome_names:
        return Reason.WITHIN_LIMITS, within or "no guardrails are declared"
    reason = Reason.NON_INFERIOR if step.until is Until.DECISION else Reason.WITHIN_LIMITS
    return reason, "; ".join(part for part in (evidence(s, list(step.outcome_names)), within) if part)
