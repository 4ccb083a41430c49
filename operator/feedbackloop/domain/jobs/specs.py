"""What each stage is told, from the run's pinned inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from feedbackloop.api.adminconfig import AdminConfig, Endpoint, EndpointType
from feedbackloop.api.conditions import Reason
from feedbackloop.api.evaluation import Evaluation
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, Model, ModelStatus
from feedbackloop.api.gateway import KeyService, LoopRef, ObjectStore
from feedbackloop.api.improvement import Improvement, Launcher
from feedbackloop.api.improvementrun import RunInputs
from feedbackloop.api.jobs import CurateSpec, EvaluateSpec, JudgeRef, MlflowRef, ShadowSpec, TrainSpec
from feedbackloop.api.rollout import ShadowMetric
from feedbackloop.api.rolloutstatus import ShadowStatus
from feedbackloop.domain import naming
from feedbackloop.domain.children.encryption import key_service, named_endpoint
from feedbackloop.domain.children.gateway.config import object_store
from feedbackloop.domain.errors import UserError


@dataclass(frozen=True)
class Brief:
    """A run's inputs, opened."""

    loop: LoopRef
    run_name: str
    inputs: RunInputs
    spec: FeedbackLoopSpec
    """As pinned."""
    improvement: Improvement
    mlflow_run_id: str
    admin: AdminConfig

    @property
    def evaluation(self) -> Evaluation:
        """The suites and gates; admission demands them of a loop that trains."""
        if self.spec.evaluation is None:
            raise UserError(Reason.INVALID_SPEC, "evaluation: is required when an improvement trains a candidate")
        return self.spec.evaluation


@lru_cache(maxsize=128)
def pinned(text: str) -> FeedbackLoopSpec:
    """A pinned spec, opened; it is asked for several times in every look at a run, and never changes."""
    return FeedbackLoopSpec.model_validate_json(text)


def endpoint(admin: AdminConfig, name: str, type_: EndpointType) -> Endpoint:
    """The admin's endpoint of that name."""
    found = admin.endpoint(name, type_)
    if found is None:
        raise UserError(Reason.UNKNOWN_ENDPOINT, f"endpointName: the admin declares no {type_} endpoint {name}")
    return found


def model(status: ModelStatus) -> Model:
    """The artefact of a status entry."""
    return Model(uri=status.uri, digest=status.digest)


def _common(brief: Brief, stage: str) -> dict[str, Any]:
    """What every stage of a run is told."""
    return {
        "stage": stage,
        "run_id": "",
        "loop": brief.loop,
        "run_name": brief.run_name,
        "storage": _storage(brief),
        "encryption": encryption(brief.spec, brief.admin),
        "mlflow": _mlflow(brief),
    }


def curate(brief: Brief) -> CurateSpec:
    """Events up to the cut become a data set."""
    suites = brief.spec.evaluation.suites if brief.spec.evaluation else ()
    return CurateSpec(
        **_common(brief, "curate"),
        cut=brief.inputs.cut,
        signals=brief.spec.collection.signals,
        consent_required=brief.spec.collection.consent.required,
        curation=brief.improvement.curation,
        golden=suites,
        golden_prefix=brief.spec.storage.prefix,
        config_maps=config_maps(brief.spec),
        orphan_window_seconds=brief.spec.collection.orphan_window_seconds,
        abandonment_seconds=brief.spec.collection.abandonment_seconds,
        named=brief.spec.collection.redaction.named,
        train_candidate=bool(brief.improvement.training.stages),
    )


def train(brief: Brief, dataset_digest: str) -> TrainSpec:
    """The data set and the champion become a candidate."""
    training = brief.improvement.training
    return TrainSpec(
        **_common(brief, "train"),
        dataset_digest=dataset_digest,
        base=model(brief.inputs.champion),
        models=_models(brief),
        registered_model=brief.spec.registry.registered_model,
        stages=training.stages,
        launcher=training.launcher,
        num_workers=training.ray.num_workers if training.launcher is Launcher.RAY_TRAIN else 0,
    )


def evaluate(brief: Brief, dataset_digest: str, candidate: ModelStatus) -> EvaluateSpec:
    """Champion and candidate answer the same items."""
    return EvaluateSpec(
        **_common(brief, "evaluate"),
        dataset_digest=dataset_digest,
        champion=model(brief.inputs.champion),
        candidate=model(candidate),
        models=_models(brief),
        suites=brief.evaluation.suites,
        gates=brief.evaluation.gates,
        golden_prefix=brief.spec.storage.prefix,
        max_new_tokens=brief.evaluation.max_new_tokens,
        judge=judge(brief),
        config_maps=config_maps(brief.spec),
        looks=brief.inputs.suite_looks,
    )


def shadow(brief: Brief, step: ShadowStatus, run_uid: str, candidate: ModelStatus) -> ShadowSpec:
    """Pairs of a shadow step are compared."""
    assert step.metric is not None
    return ShadowSpec(
        **_common(brief, "shadow"),
        rollout_run_uid=run_uid,
        metric=step.metric,
        max_pairs=step.max_pairs,
        cut=step.cut,
        from_epoch=step.first_epoch,
        judge=judge(brief) if step.metric is ShadowMetric.JUDGE else None,
        champion_digest=brief.inputs.champion.digest,
        candidate_digest=candidate.digest,
        consent_required=brief.spec.collection.consent.required,
    )


def judge(brief: Brief) -> JudgeRef | None:
    """Where the judge is and what it is measured on."""
    declared = brief.evaluation.judge
    if declared is None:
        return None
    return JudgeRef(
        url=f"{endpoint(brief.admin, declared.endpoint_name, EndpointType.JUDGE).url.rstrip('/')}/v1",
        model=declared.model,
        family=declared.family,
        labels_object=brief.spec.storage.prefix + declared.labels.object_name,
        labels_digest=declared.labels.digest,
        min_kappa=declared.min_kappa,
        max_requests=declared.max_requests,
    )


def config_maps(spec: FeedbackLoopSpec) -> tuple[str, ...]:
    """The ConfigMaps that suites are read from."""
    sources = [suite.source.config_map for suite in spec.evaluation.suites] if spec.evaluation else []
    return tuple(sorted({source.name for source in sources if source is not None}))


def encryption(spec: FeedbackLoopSpec, admin: AdminConfig) -> KeyService:
    """Where the root key is."""
    found = key_service(spec.encryption, admin)
    if found is None:
        field, name, type_ = named_endpoint(spec.encryption.key) or ("", "", "")
        raise UserError(Reason.UNKNOWN_ENDPOINT, f"{field}: the admin declares no {type_} endpoint {name}")
    return found


def _storage(brief: Brief) -> ObjectStore:
    storage = brief.spec.storage
    prefix = naming.storage_prefix(storage.prefix, brief.inputs.loop_uid)
    return object_store(endpoint(brief.admin, storage.endpoint_name, EndpointType.S3), storage.bucket, prefix)


def _models(brief: Brief) -> ObjectStore:
    models = brief.spec.models
    return object_store(endpoint(brief.admin, models.endpoint_name, EndpointType.S3), models.bucket, "")


def _mlflow(brief: Brief) -> MlflowRef:
    registry = endpoint(brief.admin, brief.spec.registry.endpoint_name, EndpointType.MLFLOW)
    return MlflowRef(tracking_uri=registry.url, run_id=brief.mlflow_run_id)
