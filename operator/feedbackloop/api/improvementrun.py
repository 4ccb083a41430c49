"""`ImprovementRun`: one attempt to get better, and everything that was decided about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feedbackloop.api.base import ATOMIC, Count, KubeModel, LoopName, Name, Rule, StatusModel, Text, Time, list_map
from feedbackloop.api.conditions import Condition
from feedbackloop.api.feedbackloop import ModelStatus, PodOffset

Numeral = Annotated[str, Field(max_length=40)]
"""A real number as a decimal string."""


class RunOutcome(StrEnum):
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    GATED = "Gated"
    SKIPPED = "Skipped"
    COMPLETED = "Completed"
    INCONCLUSIVE = "Inconclusive"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


class Verdict(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"


class StageName(StrEnum):
    CURATE = "curate"
    TRAIN = "train"
    EVALUATE = "evaluate"


class StageState(StrEnum):
    RUNNING = "Running"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    """The run ended for another reason while it was under way."""


class ImprovementRunSpec(KubeModel):
    rules: ClassVar[tuple[Rule, ...]] = (Rule("self == oldSelf", "spec: a run is immutable; create another one"),)

    loop_name: LoopName
    """The FeedbackLoop, in this namespace."""
    improvement_name: Name
    """The improvement of that loop to attempt now."""


class RunInputs(StatusModel):
    """Everything a run depends on, pinned before its first side effect."""

    loop_uid: Annotated[str, Field(max_length=64)]
    """The UID of the loop."""
    champion: ModelStatus
    """The champion that the candidate starts from and is compared with."""
    cut: Annotated[tuple[PodOffset, ...], Field(max_length=64, json_schema_extra=ATOMIC)]
    """How far each gateway pod's log counts."""
    pinned_spec: Annotated[str, Field(max_length=65_536)]
    """The loop's spec as canonical JSON; later edits do not change this run."""


class Progress(StatusModel):
    step: Count = 0
    """Steps done."""
    total: Count = 0
    """Steps in all."""
    loss: Numeral | None = None
    """The last training loss."""
    remaining_seconds: Count | None = None
    """The estimate of the time left."""
    observed_at: Time | None = None
    """When it was last read; that happens at most every ten seconds."""


class StageStatus(StatusModel):
    name: StageName
    """The stage."""
    run_id: Annotated[str, Field(max_length=63)]
    """The identity of its inputs; the same inputs are the same run."""
    spec_digest: Annotated[str, Field(max_length=80)] = ""
    """The digest of the spec file that its attempts are given."""
    attempt: Count = 0
    """The attempt that was last started."""
    failures: Count = 0
    """Attempts that count against the limit; preemptions do not."""
    halvings: Count = 0
    """How often the micro-batch was halved after running out of memory."""
    state: StageState
    """How it stands."""
    message: Text = ""
    """Why, in a sentence."""
    started_at: Time
    """When its first attempt started."""
    retry_at: Time | None = None
    """When the next attempt starts."""
    finished_at: Time | None = None
    """When it ended."""
    result_digest: Annotated[str | None, Field(max_length=80)] = None
    """The sha256 of its result.json."""
    progress: Progress | None = None
    """How far it is."""


class ReasonCount(StatusModel):
    reason: Annotated[str, Field(max_length=63)]
    """Why rows were left out."""
    count: Count
    """How many."""


class DatasetStatus(StatusModel):
    digest: Annotated[str, Field(max_length=80)]
    """The digest of its manifest."""
    events: Count = 0
    """Feedback events read."""
    interactions: Count = 0
    """Interactions read."""
    training_rows: Count = 0
    """Rows to train on."""
    regression_items: Count = 0
    """Items held out of the accepted corrections."""
    preference_pairs: Count = 0
    """Preference pairs."""
    ties: Count = 0
    """Comparisons without a majority for either side."""
    agreement: Numeral | None = None
    """The share of rater pairs that agree, where several raters judged one comparison."""
    bad_rows: Count = 0
    """Events that the declared schema refused; they are kept."""
    excluded: Annotated[tuple[ReasonCount, ...], Field(max_length=32, json_schema_extra=list_map("reason"))] = ()
    """Rows left out, by reason."""


class GateResult(StatusModel):
    name: Annotated[str, Field(max_length=63)]
    """The gate."""
    verdict: Verdict
    """What was shown."""
    type: Annotated[str, Field(max_length=40)] = ""
    """The gate's type."""
    n: Count
    """Items compared."""
    both: Count
    """Items both models got right."""
    only_champion: Count
    """Items only the champion got right."""
    only_candidate: Count
    """Items only the candidate got right."""
    estimate: Numeral | None = None
    """Candidate minus champion, as a proportion; of a Ceiling gate the candidate's share of failing items."""
    lower: Numeral | None = None
    """The lower confidence limit."""
    upper: Numeral | None = None
    """The upper confidence limit."""
    p_value: Numeral | None = None
    """The exact p-value."""
    required_n: Count | None = None
    """Items that a verdict needs, when this many were too few."""
    message: Text = ""
    """The verdict in a sentence."""


class ArmCounts(StatusModel):
    units: Count = 0
    """Closed units."""
    rated: Count = 0
    """Units with at least one vote."""
    events: Count = 0
    """Units whose vote was the event."""


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


class RolloutStatus(StatusModel):
    """The intents of a rollout; each is written before it is acted on."""

    started_at: Time
    """When the rollout began."""
    salt: Annotated[str, Field(max_length=80)]
    """The assignment salt; it changes only with the candidate."""
    step_index: Count = 0
    """The step that is under way; the number of steps once all are done."""
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


class MlflowStatus(StatusModel):
    run_id: Annotated[str | None, Field(max_length=64)] = None
    """The MLflow run."""
    model_version: Annotated[str | None, Field(max_length=20)] = None
    """The registered version."""
    settled_at: Time | None = None
    """When the run's end and the aliases had been written there."""


class DecisionRecord(StatusModel):
    at: Time
    """When."""
    what: Annotated[str, Field(max_length=63)]
    """What was decided, as one word."""
    why: Text
    """By which numbers."""


class ImprovementRunStatus(StatusModel):
    observed_generation: Count = 0
    """The generation that was last acted on."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=24, json_schema_extra=list_map("type"))] = ()
    """What is observed, a condition for each concern."""
    stage: Annotated[str, Field(max_length=40)] = ""
    """What the run is doing, for people; nothing decides from it."""
    inputs: RunInputs | None = None
    """What the run depends on."""
    stages: Annotated[tuple[StageStatus, ...], Field(max_length=8, json_schema_extra=list_map("name"))] = ()
    """The jobs."""
    dataset: DatasetStatus | None = None
    """The data set."""
    candidate: ModelStatus | None = None
    """The model that was trained."""
    mlflow: MlflowStatus = MlflowStatus()
    """Where to look in MLflow."""
    gates: Annotated[tuple[GateResult, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = ()
    """The verdicts of the gates."""
    rollout: RolloutStatus | None = None
    """The rollout."""
    outcome: RunOutcome | None = None
    """How the run ended; unset while it is under way."""
    message: Text = ""
    """Why, in a sentence."""
    started_at: Time | None = None
    """When it started."""
    finished_at: Time | None = None
    """When it ended."""
    decisions: Annotated[tuple[DecisionRecord, ...], Field(max_length=50, json_schema_extra=ATOMIC)] = ()
    """What was decided, oldest first."""
