"""The answer to an ErasureRequest: it is kept, and says honestly that nothing has been erased yet."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.conditions import ConditionType, Reason, set_condition
from feedbackloop.api.erasurerequest import ErasureRequestStatus
from feedbackloop.domain.findings import Finding, to_condition
from feedbackloop.domain.rfc3339 import stamp

_MESSAGE = "this version does not erase yet: the request is kept, and nothing has been erased"


def project(before: ErasureRequestStatus, *, generation: int, now: datetime) -> ErasureRequestStatus:
    """The status with its one condition."""
    finding = Finding(ConditionType.SERVED, False, Reason.NOT_SERVED_YET, _MESSAGE)
    condition = to_condition(finding, at=stamp(now), generation=generation)
    return ErasureRequestStatus(observed_generation=generation, conditions=set_condition(before.conditions, condition))
