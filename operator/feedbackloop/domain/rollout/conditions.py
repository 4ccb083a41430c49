"""What people see of a rollout. Messages change with a fact or a look, never with a running count."""

from __future__ import annotations

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.rollout import holds
from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def findings(s: Situation, last: Move | Hold) -> tuple[Finding, ...]:
    """One finding for each concern; `last` is the answer that ended the step."""
    return (
        _routing_ready(s),
        _metrics_available(s),
        _check(s, ConditionType.SAMPLE_RATIO_OK, holds.sample_ratio(s), "the arms have the units their weights give"),
        _check(s, ConditionType.RATED_SHARE_OK, holds.rated_share(s), "both arms are rated"),
        _target_degraded(s),
        _promoted(s, last),
    )


def _routing_ready(s: Situation) -> Finding:
    type_, status = ConditionType.ROUTING_READY, s.status
    if status.epoch == 0:
        return Finding(type_, False, Reason.CANARY_STARTING, "the canary gets no traffic before it is available")
    if not s.gateways:
        return Finding(type_, None, Reason.GATEWAY_UNAVAILABLE, "not every gateway pod answers")
    applying = holds.epoch_applying(s)
    if applying is not None:
        return Finding(type_, False, applying.reason, applying.message)
    if status.weight == 0 and status.resume_weight is not None:
        return Finding(type_, False, Reason.CANARY_UNAVAILABLE, "weight 0 until the canary is available again")
    return Finding(type_, True, Reason.WEIGHT_APPLIED, f"every gateway pod applies weight {status.weight}")


def _metrics_available(s: Situation) -> Finding:
    type_, hold = ConditionType.METRICS_AVAILABLE, holds.metrics_missing(s)
    if hold is None:
        return Finding(type_, True, Reason.COLLECTING, "every gateway pod reports its counts")
    return Finding(type_, False if s.gateways else None, hold.reason, hold.message)


def _check(s: Situation, type_: ConditionType, hold: Hold | None, fine: str) -> Finding:
    if hold is not None:
        return Finding(type_, False, hold.reason, hold.message)
    if not s.gateways:
        return Finding(type_, None, Reason.GATEWAY_UNAVAILABLE, "not every gateway pod answers")
    if not s.status.looks:
        return Finding(type_, None, Reason.COLLECTING_EVIDENCE, "no look has closed yet")
    return Finding(type_, True, Reason.WITHIN_LIMITS, fine)


def _target_degraded(s: Situation) -> Finding:
    type_, hold = ConditionType.TARGET_DEGRADED, holds.target_degraded(s)
    if hold is None:
        return Finding(type_, False, Reason.WITHIN_LIMITS, "no guardrail has both arms over its limit")
    return Finding(type_, True, hold.reason, hold.message)


def _promoted(s: Situation, last: Move | Hold) -> Finding:
    type_, abort = ConditionType.PROMOTED, s.status.abort
    if abort is not None:
        return Finding(type_, False, Reason(abort.reason), abort.message)
    if isinstance(last, Hold):
        return Finding(type_, False, last.reason, last.message)
    return Finding(type_, last.outcome is RunOutcome.PROMOTED, Reason.PROMOTED, last.message)
