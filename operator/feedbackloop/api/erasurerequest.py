"""`ErasureRequest`: one subject to forget."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from feedbackloop.api.base import Count, KubeModel, LoopName, Rule, StatusModel, list_map
from feedbackloop.api.conditions import Condition


class ErasureRequestSpec(KubeModel):
    rules: ClassVar[tuple[Rule, ...]] = (Rule("self == oldSelf", "spec: a request is immutable; create another one"),)

    loop_name: LoopName
    """The FeedbackLoop, in this namespace, that shall forget."""
    subject: Annotated[str, Field(min_length=32, max_length=64, pattern=r"^[0-9a-f]+$")]
    """The pseudonym of the subject, as the gateway gives it; never a name or an address."""


class ErasureRequestStatus(StatusModel):
    observed_generation: Count = 0
    """The generation that was last acted on."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()
    """What is observed."""
