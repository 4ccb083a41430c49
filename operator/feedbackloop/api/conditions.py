"""Conditions: their types, their documented reasons and how one is set.

A condition is an observation, never a state machine: no code decides from one. `Ready`,
`Reconciling` and `Stalled` follow kstatus, so `kubectl wait` and GitOps tools understand a
loop without a plug-in: `Stalled` is present only while a person must act.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Count, StatusModel, Text, Time


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionType(StrEnum):
    READY = "Ready"
    """The object is as declared: a loop collects and its target serves the champion; a run has ended well."""
    RECONCILING = "Reconciling"
    """Work is under way that ends by itself; absent when there is none."""
    STALLED = "Stalled"
    """A person must act; the message says what to mend. Absent otherwise."""
    # FeedbackLoop
    TARGET_ADOPTED = "TargetAdopted"
    """The target Deployment carries our init container and serves the champion in every pod."""
    COLLECTION_READY = "CollectionReady"
    """The gateway is ready and has applied its configuration."""
    STORAGE_REACHABLE = "StorageReachable"
    """S3 answers, for the operator and for the gateway's uploads."""
    KEYS_ERASABLE = "KeysErasable"
    """The bucket of wrapped keys keeps no old versions, so that a destroyed key is gone; absent until that is known."""
    REGISTRY_REACHABLE = "RegistryReachable"
    """MLflow answers."""
    RETENTION_VERIFIED = "RetentionVerified"
    """The last sweep deleted what had expired, and nothing of that can be listed any more, no version of it."""
    # ImprovementRun
    DATASET_READY = "DatasetReady"
    """The data set of the run exists."""
    NAMED_ENTITIES_REDACTED = "NamedEntitiesRedacted"
    """Names and addresses in the data set's rows were looked for and replaced."""
    GATE_UNDERPOWERED = "GateUnderpowered"
    """True when a gate has too few items to pass even with a perfect candidate; found before anything is trained."""
    TRAINED = "Trained"
    """The candidate exists."""
    EVALUATED = "Evaluated"
    """Champion and candidate answered the items of every gate."""
    GATES_PASSED = "GatesPassed"
    """Every gate is Successful. Without this a candidate gets no traffic."""
    REGISTERED = "Registered"
    """The candidate is a version of the registered model."""
    ROUTING_READY = "RoutingReady"
    """Every gateway pod has applied the intended weight."""
    METRICS_AVAILABLE = "MetricsAvailable"
    """The counts that decisions need are there; while they are not, the rollout holds."""
    SAMPLE_RATIO_OK = "SampleRatioOK"
    """The arms got the share of sessions that the weight says."""
    RATED_SHARE_OK = "RatedShareOK"
    """Neither arm is rated less than half as often as the other."""
    TARGET_DEGRADED = "TargetDegraded"
    """Stable is over a guardrail's limit too, so the canary cannot be judged; the rollout holds."""
    PROMOTED = "Promoted"
    """The candidate is the champion."""
    # ErasureRequest
    SERVED = "Served"
    """The request was carried out."""


class Reason(StrEnum):
    """Every reason a condition or an Event may carry; docs/reference/conditions.md explains each."""

    # Ready and Reconciling
    AS_DECLARED = "AsDeclared"
    """What is declared is what is there."""
    PROGRESSING = "Progressing"
    """Something is being changed."""
    SUSPENDED = "Suspended"
    """`spec.suspend` is set."""
    DELETING = "Deleting"
    """The object is being deleted."""
    WAITING = "Waiting"
    """It waits for something that comes by itself."""
    # Stalled: the spec or the surroundings must be mended by a person
    INVALID_SPEC = "InvalidSpec"
    """The spec is wrong; the message names the field and the fix."""
    UNKNOWN_ENDPOINT = "UnknownEndpoint"
    """The admin's list has no endpoint of that name and type."""
    UNKNOWN_PROFILE = "UnknownProfile"
    """The admin's list has no profile of that name."""
    TARGET_NOT_FOUND = "TargetNotFound"
    """There is no Deployment of that name in the namespace."""
    TARGET_PORT_NOT_FOUND = "TargetPortNotFound"
    """The container has no port of that name."""
    TARGET_CONTAINER_NOT_FOUND = "TargetContainerNotFound"
    """The Deployment has no container of that name."""
    TARGET_OWNED_BY_OTHER_LOOP = "TargetOwnedByOtherLoop"
    """An older loop has the same target; the older one wins."""
    FIELD_MANAGER_CONFLICT = "FieldManagerConflict"
    """Somebody else manages a field that adoption needs; the message names both."""
    CANARY_SELECTED_BY_SERVICE = "CanarySelectedByService"
    """Another Service would send its traffic to canary pods."""
    NAME_CONFLICT = "NameConflict"
    """An object of the name we need belongs to somebody else."""
    FORBIDDEN = "Forbidden"
    """The operator lacks a right; the message names verb and resource."""
    LOOP_NOT_FOUND = "LoopNotFound"
    """The run names a loop that is not there."""
    IMPROVEMENT_NOT_FOUND = "ImprovementNotFound"
    """The loop has no improvement of that name."""
    NOT_SERVED_YET = "NotServedYet"
    """The resource is accepted; this version does not act on it."""
    # Waiting for the surroundings: nobody needs to act
    API_UNAVAILABLE = "ApiUnavailable"
    """The API server does not answer; nothing is decided meanwhile."""
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    """S3 does not answer; feedback stays on the gateway's volume."""
    KEY_SERVICE_UNAVAILABLE = "KeyServiceUnavailable"
    """The service of the root key does not answer; feedback stays on the gateway's volume."""
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    """MLflow does not answer."""
    REGISTRY_HOST_NOT_ALLOWED = "RegistryHostNotAllowed"
    """MLflow refuses the host name; add it to its `--allowed-hosts`."""
    GATEWAY_UNAVAILABLE = "GatewayUnavailable"
    """Not every gateway pod answers; nothing is decided meanwhile."""
    GATEWAY_STARTING = "GatewayStarting"
    """The gateway is not ready yet."""
    LOG_UNAVAILABLE = "LogUnavailable"
    """A gateway pod's log takes nothing: its volume is full or fails, and feedback gets 503 there."""
    TARGET_UNAVAILABLE = "TargetUnavailable"
    """Not every pod of the target is ready."""
    # Facts of a healthy loop
    UNVERSIONED = "Unversioned"
    """The bucket keeps no old versions."""
    KEYS_BUCKET_VERSIONED = "KeysBucketVersioned"
    """Versioning is or was on for the bucket of wrapped keys: a destroyed key can be brought back from a version."""
    REACHABLE = "Reachable"
    """It answers."""
    ADOPTED = "Adopted"
    """The target serves the champion."""
    ADOPTING = "Adopting"
    """The target is being restarted with its model."""
    COLLECTING = "Collecting"
    """Feedback is being collected."""
    # Retention
    SWEPT = "Swept"
    """What had expired is gone, and that was verified."""
    SWEEPING = "Sweeping"
    """No sweep has ended yet."""
    LEGAL_HOLD = "LegalHold"
    """`spec.retention.legalHold` is set: nothing is deleted."""
    SWEEP_HELD = "SweepHeld"
    """A sweep kept expired data for safety: the clock jumped, or too much would have gone at once; the message says."""
    SWEEP_FAILED = "SweepFailed"
    """A sweep failed, or something that it deleted is still listed; the next period tries again."""
    # The run's stages
    CURATING = "Curating"
    """The curate stage runs."""
    CURATED = "Curated"
    """The data set exists."""
    TRAINING = "Training"
    """The train stage runs."""
    TRAINED = "Trained"
    """The candidate exists."""
    EVALUATING = "Evaluating"
    """The evaluate stage runs."""
    EVALUATED = "Evaluated"
    """The items are answered and scored."""
    RETRYING = "Retrying"
    """A stage's attempt ended; another follows."""
    STAGE_FAILED = "StageFailed"
    """A stage failed for good; the message has its class."""
    CONSENT_WITHDRAWN = "ConsentWithdrawn"
    """Consent to all rows of the data set was withdrawn before training; a new run builds another data set."""
    RESULT_MISSING = "ResultMissing"
    """A job succeeded without a result."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """A stage took longer than allowed, over all attempts."""
    NAMES_REPLACED = "NamesReplaced"
    """A language model looked for names and addresses; the message says which and what it replaced."""
    NO_MODEL = "NoModel"
    """No language model is supplied with the job's environment, so that names stay in the rows."""
    NAMES_KEPT = "NamesKept"
    """The loop says `collection.redaction.named: Never`."""
    ENOUGH_ITEMS = "EnoughItems"
    """Every gate has enough items."""
    TOO_FEW_ITEMS = "TooFewItems"
    """A gate has too few items to ever pass; the message says how many are missing."""
    ALL_PASSED = "AllPassed"
    """Every gate is Successful."""
    GATE_FAILED = "GateFailed"
    """A gate showed that the candidate is worse."""
    GATE_INCONCLUSIVE = "GateInconclusive"
    """A gate could show neither; the message says how many items a verdict needs."""
    REGISTERED = "Registered"
    """The version exists in MLflow."""
    # The rollout
    CANARY_STARTING = "CanaryStarting"
    """The canary's pods are starting."""
    CANARY_UNAVAILABLE = "CanaryUnavailable"
    """The canary did not become available before its deadline."""
    CANARY_UNSTABLE = "CanaryUnstable"
    """The canary became unavailable three times while it had traffic."""
    WEIGHT_APPLYING = "WeightApplying"
    """The gateways are applying the weight."""
    WEIGHT_APPLIED = "WeightApplied"
    """Every gateway pod has applied the weight."""
    COLLECTING_EVIDENCE = "CollectingEvidence"
    """Neither bound is met yet."""
    NON_INFERIOR = "NonInferior"
    """The canary's event rate is below the declared ratio of stable's."""
    HARM_FOUND = "HarmFound"
    """The canary's event rate is higher than stable's."""
    GUARDRAIL_FAILED = "GuardrailFailed"
    """The canary is over a guardrail's limit and worse than stable."""
    TARGET_DEGRADED = "TargetDegraded"
    """Both arms are over a guardrail's limit."""
    SAMPLE_RATIO_MISMATCH = "SampleRatioMismatch"
    """The arms' sizes do not fit the weight; something assigns wrongly."""
    RATED_SHARE_UNEVEN = "RatedShareUneven"
    """One arm is rated less than half as often as the other."""
    METRICS_MISSING = "MetricsMissing"
    """A count that a decision needs is missing."""
    WITHIN_LIMITS = "WithinLimits"
    """All is within its limits."""
    BAKING = "Baking"
    """The canary serves everything while the old model is warm."""
    UPDATING_TARGET = "UpdatingTarget"
    """The target is being updated to the candidate."""
    DRAINING = "Draining"
    """The canary is being drained."""
    SUPERSEDED = "Superseded"
    """The user declared another model; the run is taken back."""
    MAX_DURATION = "MaxDuration"
    """No decision fell within `maxDurationSeconds`."""
    # How a run ends
    PROMOTED = "Promoted"
    """The candidate became the champion."""
    ROLLED_BACK = "RolledBack"
    """The candidate was taken back."""
    GATED = "Gated"
    """A gate stopped the candidate before it got any traffic."""
    NOT_ENOUGH_EXAMPLES = "NotEnoughExamples"
    """Curation left too few rows."""
    DATASET_ONLY = "DatasetOnly"
    """The run ends with its data set, as it declares no training stage."""
    INCONCLUSIVE = "Inconclusive"
    """The evidence did not suffice either way."""
    FAILED = "Failed"
    """The run failed."""
    # Deletion
    LOG_DRAINED = "LogDrained"
    """Everything on the gateway's volume was uploaded before it went."""
    LOG_KEPT = "LogKept"
    """The log could not be drained in time; its volume is kept, and the message names the claim."""


class Condition(StatusModel):
    """A condition as in `metav1.Condition`."""

    type: Annotated[str, Field(max_length=63)]
    """The concern this condition observes."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[str, Field(max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """Why, as one word of the documented list."""
    message: Text = ""
    """Why, for a person, with the numbers and the fix."""
    last_transition_time: Time
    """When the status last changed."""
    observed_generation: Count = 0
    """The generation of the spec that this observation is about."""


def set_condition(conditions: Sequence[Condition], new: Condition) -> tuple[Condition, ...]:
    """The conditions with `new` in place; the transition time is kept while the status is the same."""
    old = find_condition(conditions, new.type)
    if old is not None and old.status == new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    others = [c for c in conditions if c.type != new.type]
    return tuple(sorted([*others, new], key=lambda c: c.type))


def drop_condition(conditions: Sequence[Condition], type_: str) -> tuple[Condition, ...]:
    return tuple(c for c in conditions if c.type != type_)


def find_condition(conditions: Sequence[Condition], type_: str) -> Condition | None:
    return next((c for c in conditions if c.type == type_), None)
