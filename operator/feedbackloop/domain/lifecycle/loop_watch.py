"""`Regressed`: what late votes say about the promotion that serves, and how to go back."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, Promotion
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.lifecycle.loop_history import former_champions, of_run
from feedbackloop.domain.lifecycle.loop_models import short
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation
from feedbackloop.domain.lifecycle.run_watch import evidence, watched


def regressed(
    seen: LoopObservation, spec: FeedbackLoopSpec, status: FeedbackLoopStatus, now: datetime
) -> Finding | None:
    """None while nothing is watched. `status` has roles and promotions as they shall be."""
    promotion = next(iter(status.promotions), None)
    serves = promotion is not None and status.champion is not None and status.champion.digest == promotion.digest
    if promotion is None or not serves:
        return None
    run = of_run(seen.runs, promotion.run_uid)
    if promotion.regressed_at is not None:
        numbers = evidence(run.status) if run else ""
        return Finding(ConditionType.REGRESSED, True, Reason.LATE_HARM, _harm(seen, spec, status, promotion, numbers))
    if run is None or not watched(run.status, now):
        return None
    message = f"late votes about {short(promotion.digest)} are watched; they show no harm so far"
    return Finding(ConditionType.REGRESSED, False, Reason.COLLECTING_EVIDENCE, message)


def _harm(
    seen: LoopObservation, spec: FeedbackLoopSpec, status: FeedbackLoopStatus, promotion: Promotion, numbers: str
) -> str:
    found = f"late votes show that {short(promotion.digest)} of run {promotion.run_name} is worse"
    numbers = f": {numbers[:600]}" if numbers else ""
    return f"{found}{numbers}. {_way_back(seen, spec, status)}"


def _way_back(seen: LoopObservation, spec: FeedbackLoopSpec, status: FeedbackLoopStatus) -> str:
    """The command, while the model of before is inside the rollback window."""
    revisions = spec.rollout.rollback_window.revisions if spec.rollout else 0
    former = former_champions(status)
    if revisions == 0 or not former:
        return "Declare another model in spec.target.model to go back"
    command = f"feedbackloop rollback {seen.loop.ref.name} -n {seen.loop.ref.namespace} --to {former[0]} --apply"
    return f"To go back to {short(former[0])}: {command}"
