"""The status of a rollout: intents, looks, epochs and how the outcomes stand."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import ATOMIC, Count, StatusModel, Text, Time, list_map
from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.rollout import ShadowMetric

Numeral = Annotated[str, Field(max_length=40)]
"""A real number as a decimal string."""


Uid = Annotated[str, Field(max_length=64)]


class Verdict(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"


class ArmCounts(StatusModel):
    units: Count = 0
    """Closed units."""
    rated: Count = 0
    """Units with at least one vote."""
    events: Count = 0
    """Units whose vote was the event."""
    total: Annotated[int, Field(json_schema_extra={"format": "int64"})] = 0
    """Of a mean: the sum over the rated units, in thousandths of the signal's unit."""
    squares: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    """Of a mean: the sum of the squares, in millionths of the unit's square."""


class Look(StatusModel):
    """One closed look of a sequential test: the increments since the look before."""

    outcome: Annotated[str, Field(max_length=63)]
    """The outcome that was looked at."""
    epoch: Count
    """The epoch whose units were counted."""
    at: Time
    """When the look closed."""
    stable: ArmCounts
    """New counts of stable."""
    canary: ArmCounts
    """New counts of the canary."""


class OutcomeStatus(StatusModel):
    name: Annotated[str, Field(max_length=63)]
    """The outcome."""
    verdict: Verdict
    """What the looks so far show."""
    harm_e_value: Numeral
    """Evidence that the canary is worse; aborts at 1/alpha."""
    non_inferiority_e_value: Numeral
    """Evidence that the canary is not worse than the declared ratio; promotes at 1/alpha."""
    stable: ArmCounts = ArmCounts()
    """Counts of stable over all looks."""
    canary: ArmCounts = ArmCounts()
    """Counts of the canary over all looks."""
    estimate: Numeral | None = None
    """The ratio of the event rates, or the difference of the means (canary minus stable)."""
    lower: Numeral | None = None
    """The lower limit of its confidence sequence."""
    upper: Numeral | None = None
    """The upper limit."""


class EpochStatus(StatusModel):
    """One epoch: the time under one applied routing."""

    epoch: Count
    """Its number."""
    weight: Annotated[int, Field(ge=0, le=100)]
    """The canary's share of sessions in it, in percent."""
    intended_at: Time
    """When it was intended."""


class AbortStatus(StatusModel):
    at: Time
    """When it was decided."""
    reason: Annotated[str, Field(max_length=63)]
    """Why, as one documented word."""
    message: Text = ""
    """Why, with the numbers."""


class PlanStatus(StatusModel):
    """What an outcome's decision needs at the traffic that was observed before the rollout."""

    outcome: Annotated[str, Field(max_length=63)]
    """The outcome."""
    sessions_per_day: Count = 0
    """Sessions a day that were observed; 0 while nothing is known."""
    rated_share: Numeral | None = None
    """The share of them that is rated."""
    base_rate: Numeral | None = None
    """The share of them with the event."""
    sessions_needed: Count | None = None
    """Sessions, of both arms, in which an equal candidate is decided four times of five; unset: not in time."""
    days_needed: Numeral | None = None
    """The days that takes at the steps' weights."""
    message: Text = ""
    """The plan in a sentence."""


class ShadowStatus(StatusModel):
    """A shadow step."""

    step_index: Count
    """The step that it belongs to."""
    started_at: Time
    """When mirroring was intended."""
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    """The share of stable's requests that are mirrored, in percent."""
    max_concurrency: Count = 0
    """Mirrored requests in flight in one gateway pod."""
    max_pairs: Count = 0
    """Pairs that are collected at most."""
    metric: ShadowMetric | None = None
    """How the two answers of a pair are compared."""
    first_epoch: Count = 0
    """The epoch in which mirroring began."""
    epoch: Count = 0
    """The epoch in which requests are mirrored; another epoch is without a mirror."""
    cut: Annotated[tuple[PodOffset, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """How far each gateway pod's log holds pairs; set once no request is mirrored any more."""
    pairs: Count = 0
    """Pairs that were stored, when last asked."""
    compare_run_id: Annotated[str, Field(max_length=63)] = ""
    """The comparing job's runId."""
    wins: Count = 0
    """Pairs whose better answer is the candidate's."""
    losses: Count = 0
    """Pairs whose better answer is the champion's."""
    ties: Count = 0
    """Pairs without a better answer."""
    judge_labels: Annotated[tuple[Count, ...], Field(max_length=9, json_schema_extra=ATOMIC)] = ()
    """Of a judge: its labels by its word and people's, each loss, tie or win; what its wins are confirmed by."""
    verdict: Verdict | None = None
    """What the pairs show; unset before they were compared."""
    message: Text = ""
    """The verdict in a sentence, with its numbers."""


class HeaderRouteStatus(StatusModel):
    header_name: Annotated[str, Field(max_length=64)]
    """The header."""
    values: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=8, json_schema_extra=ATOMIC)]
    """Its values that go to the canary."""


class ApprovalStatus(StatusModel):
    step_index: Count
    """The step."""
    digest: Annotated[str, Field(max_length=80)]
    """The candidate."""
    user: Annotated[str, Field(max_length=253)]
    """Who."""
    at: Time
    """When."""
    approved: bool
    """False: rejected."""
    comment: Annotated[str, Field(max_length=500)] = ""
    """Why."""


class QueryStatus(StatusModel):
    """A guardrail whose number comes from elsewhere."""

    name: Annotated[str, Field(max_length=63)]
    """The guardrail."""
    epoch: Count
    """The epoch it was asked for."""
    at: Time | None = None
    """When the source gave these numbers; unset before it gave any."""
    unavailable_since: Time | None = None
    """Since when it gives none."""
    canary: Numeral | None = None
    """The canary's value."""
    stable: Numeral | None = None
    """Stable's value."""
    requests: Count | None = None
    """The canary's requests by the source; unset: the gateway's count is used."""


class ProviderStatus(StatusModel):
    """What the traffic provider was seen to do."""

    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """The weight that it has accepted."""
    accepted: bool = False
    """Its own conditions, for the generation that was written, say so."""
    observed_share: Numeral | None = None
    """The canary's share of the requests that were counted in this epoch."""
    achievable: Numeral | None = None
    """The share that it can really give, when that is not the weight."""
    conflicts: Count = 0
    """How often another writer had changed what is ours."""
    disturbed_at: Time | None = None
    """When another writer last did so."""
    message: Text = ""
    """What it says."""


class RolloutStatus(StatusModel):
    """The intents of a rollout; each is written before it is acted on."""

    started_at: Time
    """When the rollout began."""
    salt: Annotated[str, Field(max_length=80)]
    """The assignment salt; it changes only with the candidate."""
    step_index: Count = 0
    """The step that is under way; the number of steps once all are done."""
    step_since: Time | None = None
    """Since when that step is under way."""
    steps_digest: Annotated[str, Field(max_length=80)] = ""
    """The digest of the steps that this rollout follows."""
    attempt: Count = 0
    """How often this candidate was rolled out before."""
    paused_since: Time | None = None
    """Since when a person, or a rule, has paused it."""
    pause_reason: Annotated[str, Field(max_length=63)] = ""
    """Why, as one documented word."""
    paused_seconds: Count = 0
    """How long it was paused in all, pauses that have ended."""
    skip_steps: bool = False
    """A person, or the rollback window, has said that no step is needed."""
    scale: Count | None = None
    """The replicas that setCanaryScale asked for; unset: what the weight needs."""
    header_routes: Annotated[tuple[HeaderRouteStatus, ...], Field(max_length=8, json_schema_extra=ATOMIC)] = ()
    """Header routes in force."""
    shadow: ShadowStatus | None = None
    """The last shadow step."""
    approvals: Annotated[tuple[ApprovalStatus, ...], Field(max_length=32, json_schema_extra=ATOMIC)] = ()
    """Who approved or rejected what."""
    actions: Annotated[tuple[Uid, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """UIDs of the actions that were acted on."""
    queries: Annotated[tuple[QueryStatus, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = ()
    """Guardrails whose numbers come from elsewhere."""
    provider: ProviderStatus | None = None
    """What the traffic provider does; unset when the gateway splits."""
    plan: Annotated[tuple[PlanStatus, ...], Field(max_length=8, json_schema_extra=list_map("outcome"))] = ()
    """What the decision needs, estimated before the start."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """The intended share of the canary."""
    canary_replicas: Count = 0
    """The intended replicas of the canary."""
    epoch: Count = 0
    """The number of the intended epoch; it grows with every change of the routing."""
    epoch_started_at: Time | None = None
    """When every gateway pod had applied it."""
    epoch_intended_at: Time | None = None
    """When it was intended."""
    epochs: Annotated[tuple[EpochStatus, ...], Field(max_length=64, json_schema_extra=list_map("epoch"))] = ()
    """All epochs so far; a look, and the expected share of its units, belongs to one of them."""
    canary_awaited_since: Time | None = None
    """Since when the canary has been awaited; unset while it is available."""
    resume_weight: Annotated[int | None, Field(ge=0, le=100)] = None
    """The weight to restore once an unavailable canary is back."""
    instabilities: Count = 0
    """How often the canary became unavailable while it had traffic."""
    baking_since: Time | None = None
    """When the canary began to serve everything."""
    promoting_since: Time | None = None
    """When the target began to be updated to the candidate."""
    moved_back_since: Time | None = None
    """When traffic began to move back to the updated target."""
    draining_since: Time | None = None
    """When the canary began to drain."""
    abort: AbortStatus | None = None
    """Set when the candidate is being taken back."""
    looks: Annotated[tuple[Look, ...], Field(max_length=2000, json_schema_extra=ATOMIC)] = ()
    """Closed looks, in order; the evidence is recomputed from them."""
    outcomes: Annotated[tuple[OutcomeStatus, ...], Field(max_length=8, json_schema_extra=list_map("name"))] = ()
    """How each outcome stands."""
