"""`ImprovementRun`: one attempt to get better, and everything that was decided about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feedbackloop.api.base import ATOMIC, Count, KubeModel, LoopName, Name, Rule, StatusModel, Text, Time, list_map
from feedbackloop.api.conditions import Condition
from feedbackloop.api.feedbackloop import ModelStatus, PodOffset, SuiteLooks
from feedbackloop.api.rolloutstatus import Numeral, RolloutStatus, Verdict


class RunOutcome(StrEnum):
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    GATED = "Gated"
    SKIPPED = "Skipped"
    COMPLETED = "Completed"
    INCONCLUSIVE = "Inconclusive"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


class StageName(StrEnum):
    CURATE = "curate"
    TRAIN = "train"
    EVALUATE = "evaluate"
    SHADOW = "shadow"


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
    retry_of: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """A run that has ended, whose inputs and candidate are rolled out once more."""


class UnitsSeen(StatusModel):
    """Sessions outside of any rollout: what is known of the traffic before one."""

    outcome: Annotated[str, Field(max_length=63)]
    """The outcome that counted them."""
    units: Count
    """Closed sessions, from the gateways' first one on."""


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
    suite_looks: Annotated[tuple[SuiteLooks, ...], Field(max_length=32, json_schema_extra=list_map("digest"))] = ()
    """How often sets of items had decided before this run."""
    units: Annotated[tuple[UnitsSeen, ...], Field(max_length=8, json_schema_extra=list_map("outcome"))] = ()
    """Sessions that had been counted when the run began; what came since tells how many a day there are."""


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
    effect: Annotated[str, Field(max_length=20)] = "Required"
    """Required or Advisory."""
    metric: Annotated[str, Field(max_length=40)] = ""
    """How answers were scored."""
    suite: Annotated[str, Field(max_length=63)] = ""
    """The suite whose items were used."""
    suite_digest: Annotated[str, Field(max_length=80)] = ""
    """The digest of the items."""
    look: Count = 0
    """How often these items have decided, this time included; 0: not counted."""
    alpha: Numeral | None = None
    """The error rate that this look was given."""
    clusters: Count | None = None
    """Groups of items that share an intent, when the gate is clustered."""
    evidence_digest: Annotated[str, Field(max_length=80)] = ""
    """The digest of the gate's canonical JSON beside the run's results: `feedbackloop explain gate` recomputes it."""
    p_value: Numeral | None = None
    """The exact p-value."""
    required_n: Count | None = None
    """Items that a verdict needs, when this many were too few."""
    message: Text = ""
    """The verdict in a sentence."""


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
