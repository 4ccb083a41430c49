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
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    # FeedbackLoop
    TARGET_ADOPTED = "TargetAdopted"
    COLLECTION_READY = "CollectionReady"
    STORAGE_REACHABLE = "StorageReachable"
    REGISTRY_REACHABLE = "RegistryReachable"
    # ImprovementRun
    DATASET_READY = "DatasetReady"
    GATE_UNDERPOWERED = "GateUnderpowered"
    TRAINED = "Trained"
    EVALUATED = "Evaluated"
    GATES_PASSED = "GatesPassed"
    REGISTERED = "Registered"
    ROUTING_READY = "RoutingReady"
    METRICS_AVAILABLE = "MetricsAvailable"
    SAMPLE_RATIO_OK = "SampleRatioOK"
    RATED_SHARE_OK = "RatedShareOK"
    TARGET_DEGRADED = "TargetDegraded"
    PROMOTED = "Promoted"
    # ErasureRequest
    SERVED = "Served"


class Reason(StrEnum):
    """Every reason a condition or an Event may carry; docs/reference/conditions.md explains each."""

    # Ready and Reconciling
    AS_DECLARED = "AsDeclared"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    DELETING = "Deleting"
    WAITING = "Waiting"
    # Stalled: the spec or the surroundings must be mended by a person
    INVALID_SPEC = "InvalidSpec"
    UNKNOWN_ENDPOINT = "UnknownEndpoint"
    UNKNOWN_PROFILE = "UnknownProfile"
    TARGET_NOT_FOUND = "TargetNotFound"
    TARGET_PORT_NOT_FOUND = "TargetPortNotFound"
    TARGET_CONTAINER_NOT_FOUND = "TargetContainerNotFound"
    TARGET_OWNED_BY_OTHER_LOOP = "TargetOwnedByOtherLoop"
    FIELD_MANAGER_CONFLICT = "FieldManagerConflict"
    CANARY_SELECTED_BY_SERVICE = "CanarySelectedByService"
    NAME_CONFLICT = "NameConflict"
    FORBIDDEN = "Forbidden"
    LOOP_NOT_FOUND = "LoopNotFound"
    IMPROVEMENT_NOT_FOUND = "ImprovementNotFound"
    NOT_SERVED_YET = "NotServedYet"
    # Waiting for the surroundings: nobody needs to act
    API_UNAVAILABLE = "ApiUnavailable"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    REGISTRY_HOST_NOT_ALLOWED = "RegistryHostNotAllowed"
    GATEWAY_UNAVAILABLE = "GatewayUnavailable"
    GATEWAY_STARTING = "GatewayStarting"
    TARGET_UNAVAILABLE = "TargetUnavailable"
    # Facts of a healthy loop
    REACHABLE = "Reachable"
    ADOPTED = "Adopted"
    ADOPTING = "Adopting"
    COLLECTING = "Collecting"
    # The run's stages
    CURATING = "Curating"
    CURATED = "Curated"
    TRAINING = "Training"
    TRAINED = "Trained"
    EVALUATING = "Evaluating"
    EVALUATED = "Evaluated"
    RETRYING = "Retrying"
    STAGE_FAILED = "StageFailed"
    RESULT_MISSING = "ResultMissing"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    ENOUGH_ITEMS = "EnoughItems"
    TOO_FEW_ITEMS = "TooFewItems"
    ALL_PASSED = "AllPassed"
    GATE_FAILED = "GateFailed"
    GATE_INCONCLUSIVE = "GateInconclusive"
    REGISTERED = "Registered"
    # The rollout
    CANARY_STARTING = "CanaryStarting"
    CANARY_UNAVAILABLE = "CanaryUnavailable"
    CANARY_UNSTABLE = "CanaryUnstable"
    WEIGHT_APPLYING = "WeightApplying"
    WEIGHT_APPLIED = "WeightApplied"
    COLLECTING_EVIDENCE = "CollectingEvidence"
    NON_INFERIOR = "NonInferior"
    HARM_FOUND = "HarmFound"
    GUARDRAIL_FAILED = "GuardrailFailed"
    TARGET_DEGRADED = "TargetDegraded"
    SAMPLE_RATIO_MISMATCH = "SampleRatioMismatch"
    RATED_SHARE_UNEVEN = "RatedShareUneven"
    METRICS_MISSING = "MetricsMissing"
    WITHIN_LIMITS = "WithinLimits"
    BAKING = "Baking"
    UPDATING_TARGET = "UpdatingTarget"
    DRAINING = "Draining"
    SUPERSEDED = "Superseded"
    MAX_DURATION = "MaxDuration"
    # How a run ends
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    GATED = "Gated"
    NOT_ENOUGH_EXAMPLES = "NotEnoughExamples"
    DATASET_ONLY = "DatasetOnly"
    INCONCLUSIVE = "Inconclusive"
    FAILED = "Failed"
    # Deletion
    LOG_DRAINED = "LogDrained"
    LOG_KEPT = "LogKept"


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
