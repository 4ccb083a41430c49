"""What people see of a rollout. Messages change with a fact or a look, never with a running count."""

from __future__ import annotations

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.rollout import approvals, holds, pausing, routers, steps, windows
from feedbackloop.domain.rollout.intents import known, mirroring
from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def findings(s: Situation, last: Move | Hold) -> tuple[Finding, ...]:
    """One finding for each concern; `last` is the answer that ended the step."""
    return (
        _routing_ready(s),
        _metrics_available(s),
        _check(s, ConditionType.SAMPLE_RATIO_OK, holds.sample_ratio(s), "the arms have the units their weights give"),
        _check(s, ConditionType.RATED_SHARE_OK, holds.rated_share(s), "both arms are rated"),
        _target_degraded(s),
        _paused(s),
        *_inside_window(s),
        *_approval_pending(s),
        *_shadowed(s),
        _promoted(s, last),
    )


OPTIONAL = (ConditionType.INSIDE_WINDOW, ConditionType.APPROVAL_PENDING, ConditionType.SHADOWED)
"""Absent from the findings while there is nothing to say; their condition then goes."""

_SHADOWS = {
    Verdict.SUCCESSFUL: (True, Reason.NON_INFERIOR),
    Verdict.FAILED: (False, Reason.SHADOW_WORSE),
    Verdict.INCONCLUSIVE: (False, Reason.SHADOW_INCONCLUSIVE),
    Verdict.ERROR: (None, Reason.METRICS_MISSING),
}


def _routing_ready(s: Situation) -> Finding:
    type_, status = ConditionType.ROUTING_READY, s.status
    refused = routers.not_routed(s)
    if refused is not None:
        return Finding(type_, False, refused.reason, refused.message)
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


def _paused(s: Situation) -> Finding:
    """By a person, a step, or a check that only time or a person can settle."""
    type_, abort = ConditionType.PAUSED, s.status.abort
    if abort is not None:
        return Finding(type_, False, known(abort.reason, Reason.ROLLED_BACK), "the candidate is being taken back")
    step = steps.pause(s)
    hold = pausing.paused(s) or holds.sample_ratio(s) or (step if isinstance(step, Hold) else None)
    if hold is None:
        return Finding(type_, False, Reason.RUNNING, "nothing freezes the steps")
    return Finding(type_, True, hold.reason, hold.message)


def _inside_window(s: Situation) -> tuple[Finding, ...]:
    type_, found = ConditionType.INSIDE_WINDOW, windows.opening(s.spec.windows, s.now)
    if not s.spec.windows:
        return ()
    if found.error:
        return (Finding(type_, None, Reason.INVALID_SPEC, f"rollout.{found.error}"),)
    if found.inside:
        return (Finding(type_, True, Reason.RUNNING, f"inside the declared windows {windows.until(found)}"),)
    return (Finding(type_, False, Reason.OUTSIDE_WINDOW, f"outside the declared windows {windows.until(found)}"),)


def _approval_pending(s: Situation) -> tuple[Finding, ...]:
    step = approvals.under_way(s)
    if step is None:
        return ()
    return (Finding(ConditionType.APPROVAL_PENDING, True, Reason.APPROVAL_PENDING, approvals.pending(s, step)),)


def _shadowed(s: Situation) -> tuple[Finding, ...]:
    type_, found = ConditionType.SHADOWED, s.status.shadow
    if found is None:
        return ()
    if found.verdict is not None:
        status, reason = _SHADOWS[found.verdict]
        return (Finding(type_, status, reason, found.message),)
    if mirroring(s.status):
        return (Finding(type_, None, Reason.SHADOWING, "requests are mirrored, and pairs are stored"),)
    return (Finding(type_, None, Reason.COMPARING, "the pairs are compared"),)


def _promoted(s: Situation, last: Move | Hold) -> Finding:
    type_, abort = ConditionType.PROMOTED, s.status.abort
    if abort is not None:
        return Finding(type_, False, known(abort.reason, Reason.ROLLED_BACK), abort.message)
    if isinstance(last, Hold):
        return Finding(type_, False, last.reason, last.message)
    return Finding(type_, last.outcome is RunOutcome.PROMOTED, Reason.PROMOTED, last.message)
