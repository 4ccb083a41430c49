"""`RolloutAction`: what a person asks of a run, once, with their name on it.

An action is immutable and says who asks; the chart's admission policy lets it in only when that is who creates it,
and when they may use the verb (`approve`, `promote`, `abort`, `pause`, `retry`) on the ImprovementRun it names. The
operator answers in its status, and it goes with its run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feedbackloop.api.base import ATOMIC, Count, Digest, KubeModel, Rule, StatusModel, Text, Time

Group = Annotated[str, Field(max_length=253)]


class Action(StrEnum):
    APPROVE = "Approve"
    """The approval step may be passed with this candidate."""
    REJECT = "Reject"
    """The candidate is taken back at its approval step."""
    PAUSE = "Pause"
    RESUME = "Resume"
    PROMOTE = "Promote"
    """End the pause that is under way; the next step follows."""
    PROMOTE_FULL = "PromoteFull"
    """Skip all steps: capacity, routing and baking are still awaited."""
    ABORT = "Abort"
    RETRY = "Retry"
    """Roll the candidate of an ended run out again: a new run with the same inputs, a new salt and no evidence yet."""


VERBS: dict[Action, str] = {
    Action.APPROVE: "approve",
    Action.REJECT: "approve",
    Action.PAUSE: "pause",
    Action.RESUME: "pause",
    Action.PROMOTE: "promote",
    Action.PROMOTE_FULL: "promote",
    Action.ABORT: "abort",
    Action.RETRY: "retry",
}
"""The verb on `improvementruns` that the author needs."""


class RolloutActionSpec(KubeModel):
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("self == oldSelf", "spec: an action is immutable; create another one"),
        Rule(
            "!(self.action in ['Approve', 'Reject']) || (has(self.digest) && has(self.stepIndex))",
            "action: Approve and Reject are bound to a candidate and a step; give digest and stepIndex",
        ),
    )

    run_name: Annotated[str, Field(min_length=1, max_length=253)]
    """The ImprovementRun, in this namespace."""
    action: Action
    """What is asked."""
    digest: Digest | None = None
    """The candidate that is meant; the action is void for another one."""
    step_index: Annotated[int | None, Field(ge=0, le=31)] = None
    """The step that is meant; the action is void at another one."""
    user: Annotated[str, Field(min_length=1, max_length=253)]
    """Who asks: the user name that the API server knows."""
    groups: Annotated[tuple[Group, ...], Field(max_length=32, json_schema_extra=ATOMIC)] = ()
    """Groups of that user that are to be counted."""
    comment: Annotated[str, Field(max_length=500)] = ""
    """Why, for the record."""


class ActionResult(StrEnum):
    DONE = "Done"
    VOID = "Void"
    """It does not fit the run as it is; the message says why."""


class RolloutActionStatus(StatusModel):
    observed_generation: Count = 0
    """The generation that was last acted on."""
    result: ActionResult | None = None
    """What became of it; unset until the operator has seen it."""
    message: Text = ""
    """Why, in a sentence."""
    at: Time | None = None
    """When."""
