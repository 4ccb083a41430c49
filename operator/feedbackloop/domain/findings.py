"""A finding: what one check observed about one concern. Projection turns findings into conditions."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.conditions import Condition, ConditionStatus, ConditionType, Reason

_MESSAGE_LIMIT = 1024


@dataclass(frozen=True)
class Finding:
    type: ConditionType
    status: bool | None
    """None: it cannot be told now."""
    reason: Reason
    message: str = ""


def to_condition(finding: Finding, *, at: str, generation: int) -> Condition:
    """The condition that says it; `at` (RFC 3339) counts only if the status turns out to have changed."""
    return Condition(
        type=finding.type.value,
        status=_status(finding.status),
        reason=finding.reason.value,
        message=finding.message[:_MESSAGE_LIMIT],
        last_transition_time=at,
        observed_generation=generation,
    )


def _status(value: bool | None) -> ConditionStatus:
    if value is None:
        return ConditionStatus.UNKNOWN
    return ConditionStatus.TRUE if value else ConditionStatus.FALSE
