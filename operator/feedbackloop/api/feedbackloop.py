"""`FeedbackLoop`: the declaration a team applies, and the status it reads."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from feedbackloop.api.base import (
    ATOMIC,
    AbsolutePath,
    BucketName,
    Count,
    Digest,
    KubeModel,
    Name,
    Prefix,
    Rule,
    S3Uri,
    SecretName,
    StatusModel,
    Text,
    Time,
    list_map,
)
from feedbackloop.api.collection import Collection
from feedbackloop.api.conditions import Condition
from feedbackloop.api.evaluation import Evaluation
from feedbackloop.api.improvement import Improvement
from feedbackloop.api.rollout import Rollout

RegisteredModel = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Model(KubeModel):
    """An immutable model artefact."""

    uri: S3Uri
    """Where the model directory lies, ending in a slash."""
    digest: Digest
    """The sha256 of its manifest.json."""


class Target(KubeModel):
    deployment_name: Name
    """The Deployment, in this namespace, that serves the model today."""
    model_container: Name
    """The container of its pods that loads the model."""
    model_path: AbsolutePath = "/models/current"
    """Where the model directory is mounted in that container."""
    port: Name
    """The name of that container's port that speaks the OpenAI API."""
    model: Model
    """The first champion. Changing it makes that model champion at once, so `git revert` is a rollback."""


class Storage(KubeModel):
    endpoint_name: Name
    """An S3 endpoint of the admin's list."""
    bucket: BucketName
    """The bucket of events, data sets and runs."""
    prefix: Prefix = ""
    """A key prefix inside the bucket, empty or ending in a slash."""
    credentials_secret_name: SecretName
    """The Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""


class Models(KubeModel):
    endpoint_name: Name
    """An S3 endpoint of the admin's list."""
    bucket: BucketName
    """The bucket of model artefacts; not the bucket of events."""
    credentials_secret_name: SecretName
    """The Secret with read access; serving pods get this one and nothing else."""
    write_credentials_secret_name: SecretName
    """The Secret with write access; only training pods get it."""


class AwsKms(KubeModel):
    endpoint_name: Name
    """An AwsKms endpoint of the admin's list."""
    key_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9:/_-]+$")]
    """The key's id, ARN or alias."""
    credentials_secret_name: SecretName
    """The Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""


class VaultTransit(KubeModel):
    endpoint_name: Name
    """A Vault endpoint of the admin's list."""
    mount: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_/-]+$")] = "transit"
    """Where the transit engine is mounted."""
    key_name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]
    """The key's name in the engine."""
    credentials_secret_name: SecretName
    """The Secret whose key `token` is the Vault token."""


class EncryptionKey(KubeModel):
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.secretName), has(self.awsKms), has(self.vaultTransit)].filter(x, x).size() == 1",
            "encryption.key: name exactly one of secretName, awsKms and vaultTransit",
        ),
    )

    secret_name: SecretName | None = None
    """The Secret whose key `key` holds 32 random bytes, the root key."""
    aws_kms: AwsKms | None = None
    """A key of the AWS Key Management Service."""
    vault_transit: VaultTransit | None = None
    """A key of the transit engine of HashiCorp Vault or OpenBao."""

    @property
    def mounted_secret_name(self) -> str:
        """The Secret that gateway and jobs mount as `kek`: the root key itself, or the key service's credentials."""
        service = self.aws_kms or self.vault_transit
        return service.credentials_secret_name if service else str(self.secret_name)


class Encryption(KubeModel):
    key: EncryptionKey
    """The root key. It wraps the loop's own keys and never touches data."""
    rotation_period_seconds: Annotated[int, Field(ge=3600, le=31_536_000)] = 2_592_000
    """How often the keys below the root key are rotated, in seconds. No data is rewritten."""
    keys_bucket: BucketName | None = None
    """A bucket of the storage endpoint for wrapped keys, without versioning; the storage bucket when unset."""


class Retention(KubeModel):
    """How long each class of data is kept. Sweeps are verified: no version and no delete marker stays."""

    raw_seconds: Annotated[int, Field(ge=3600, le=315_360_000)] = 7_776_000
    """Events."""
    bad_rows_seconds: Annotated[int, Field(ge=3600, le=315_360_000)] = 7_776_000
    """Bad rows, counted from their arrival; replay them before."""
    datasets_seconds: Annotated[int, Field(ge=3600, le=315_360_000)] = 31_536_000
    """Data sets and the runs' files."""
    rejected_candidates_seconds: Annotated[int, Field(ge=3600, le=315_360_000)] = 2_592_000
    """Models that never became champion."""
    sweep_period_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    """How often expired data is deleted."""
    legal_hold: bool = False
    """Delete nothing while this is true; status says so."""


class Registry(KubeModel):
    endpoint_name: Name
    """An MLflow endpoint of the admin's list."""
    registered_model: RegisteredModel
    """The name of the registered model."""
    assessments_period_seconds: Annotated[int | None, Field(ge=60, le=604_800)] = None
    """How often new feedback is projected into MLflow as assessments; never when unset."""


class FeedbackLoopSpec(KubeModel):
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.improvements) || self.improvements.all(i, i.training.stages.size() == 0)"
            " || (has(self.evaluation) && has(self.rollout))",
            "evaluation, rollout: both are required when an improvement trains a candidate",
        ),
        Rule(
            "!has(self.rollout) || self.rollout.outcomes.all(o,"
            " self.collection.signals.exists(s, s.name == o.signal && (has(o.mean) ? s.kind in ['Stars', 'Dwell']"
            " : !has(o.event) || o.event == 'ThumbsDown' ? s.kind == 'Thumbs'"
            " : o.event == 'AnsweredNo' ? s.kind == 'Question'"
            " : o.event == 'Regenerated' ? s.kind == 'Regenerate'"
            " : o.event == 'Edited' ? s.kind in ['Edit', 'Correction'] : s.kind == 'Skip')))",
            "rollout.outcomes: signal must be the name of a collected signal whose kind fits: Thumbs for ThumbsDown,"
            " Question for AnsweredNo, Regenerate for Regenerated, Edit or Correction for Edited, Skip for Skipped,"
            " Stars or Dwell for a mean",
        ),
        Rule(
            "!has(self.rollout) || !self.rollout.steps.exists(s, has(s.shadow) && s.shadow.metric == 'Judge')"
            " || (has(self.evaluation) && has(self.evaluation.judge))",
            "rollout.steps: a shadow step with metric: Judge needs evaluation.judge",
        ),
        Rule(
            "self.models.bucket != self.storage.bucket || self.models.endpointName != self.storage.endpointName",
            "models.bucket: models and feedback need buckets of their own, so that serving pods can read no feedback",
        ),
        Rule(
            "self.models.credentialsSecretName != self.models.writeCredentialsSecretName",
            "models.writeCredentialsSecretName: serving pods must not get the write credential; name two Secrets",
        ),
    )

    suspend: bool = False
    """Collect, but start no run and freeze a rollout where it is; guardrails still abort."""
    target: Target
    """What is served today."""
    storage: Storage
    """Where events, data sets and runs are stored."""
    models: Models
    """Where model artefacts are stored."""
    collection: Collection
    """What is collected, and how."""
    encryption: Encryption
    """How stored events are encrypted."""
    retention: Retention = Retention()
    """How long data is kept."""
    improvements: Annotated[tuple[Improvement, ...], Field(max_length=4, json_schema_extra=list_map("name"))] = ()
    """The declared ways to get better; none means the loop only collects."""
    registry: Registry
    """Where runs and versions are tracked."""
    evaluation: Evaluation | None = None
    """The offline gates."""
    rollout: Rollout | None = None
    """The online rollout."""


class PodOffset(StatusModel):
    """How far the log of one gateway pod had been uploaded."""

    pod: Annotated[str, Field(max_length=63)]
    """The gateway pod."""
    offset: Count
    """Records of its log that are in object storage."""
    trainable: Count
    """Trainable signals among them."""


class Counters(StatusModel):
    accepted: Count = 0
    """Feedback events and interactions stored."""
    duplicate: Count = 0
    """Events that had been stored before."""
    bad_rows: Count = 0
    """Events kept as bad rows."""
    trainable: Count = 0
    """Stored signals that may be used for training."""
    observed_at: Time | None = None
    """When the gateway was last asked."""


class ModelStatus(StatusModel):
    uri: Annotated[str, Field(max_length=500)]
    """Where the artefact lies."""
    digest: Annotated[str, Field(max_length=80)]
    """Its digest."""
    short: Annotated[str, Field(max_length=12)] = ""
    """The first twelve digits of the digest, for tables."""
    since: Time | None = None
    """Since when it has had this role."""
    run_name: Annotated[str | None, Field(max_length=253)] = None
    """The run that made it."""


class RunSummary(StatusModel):
    name: Annotated[str, Field(max_length=253)]
    """The ImprovementRun."""
    improvement_name: Annotated[str, Field(max_length=63)]
    """The improvement it belongs to."""
    outcome: Annotated[str, Field(max_length=40)]
    """How it ended."""
    finished_at: Time
    """When it ended."""
    message: Text = ""
    """Why, in a sentence."""


class RetentionStatus(StatusModel):
    """What retention has done, by its sweeps."""

    attempted_at: Time | None = None
    """When the last sweep ended, well or not; the next one is due a period later."""
    last_sweep_at: Time | None = None
    """The time, by the object store too, of the last sweep that trusted its clock."""
    deleted: Count = 0
    """Objects that it deleted, with all their versions."""
    kept: Count = 0
    """Expired objects that it kept."""
    verified: bool = False
    """Nothing that it deleted can be listed any more, no version and no delete marker."""
    confirmed: Annotated[str, Field(max_length=100)] = ""
    """The last confirmation (an annotation) that a sweep has acted on."""
    message: Text = ""
    """What was deleted of which class, and what was kept for which reason."""


class AssessmentsStatus(StatusModel):
    """The projection of feedback into MLflow."""

    attempted_at: Time | None = None
    """When the last projection ended, well or not."""
    until: Annotated[tuple[PodOffset, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """How far the gateways' logs have been projected."""
    assessments: Count = 0
    """Assessments that the last projection wrote."""
    message: Text = ""
    """Why the last projection failed."""


class SuiteLooks(StatusModel):
    digest: Annotated[str, Field(max_length=80)]
    """The items."""
    suite: Annotated[str, Field(max_length=63)]
    """The suite that had them last."""
    looks: Count
    """How often they decided about a candidate."""
    last_at: Time
    """When last."""


class Promotion(StatusModel):
    """A candidate that became champion; evidence that late votes may still add to."""

    digest: Annotated[str, Field(max_length=80)]
    """The model."""
    run_name: Annotated[str, Field(max_length=253)]
    """Its run."""
    run_uid: Annotated[str, Field(max_length=64)]
    """The run's UID."""
    at: Time
    """When."""
    regressed_at: Time | None = None
    """When late votes showed harm after all."""


class LifetimeStatus(StatusModel):
    """The online procedure over all decisions of this loop (e-LOND)."""

    decisions: Count = 0
    """Runs that asked whether to promote."""
    promotions: Count = 0
    """Those that were promoted."""
    next_level: Annotated[str, Field(max_length=40)] = ""
    """The level at which the next decision is made."""


class FeedbackLoopStatus(StatusModel):
    observed_generation: Count = 0
    """The generation that was last acted on."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=24, json_schema_extra=list_map("type"))] = ()
    """What is observed, a condition for each concern."""
    stage: Annotated[str, Field(max_length=40)] = ""
    """What the loop is doing, for people; nothing decides from it."""
    declared_model: ModelStatus | None = None
    """The value of spec.target.model that was last acted on."""
    champion: ModelStatus | None = None
    """What stable serves."""
    previous: ModelStatus | None = None
    """What stable served before."""
    candidate: ModelStatus | None = None
    """The gated candidate of the active run."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """The candidate's share of sessions, in percent."""
    active_run_name: Annotated[str | None, Field(max_length=253)] = None
    """The run that is under way, or that was announced and is about to be created."""
    active_run_uid: Annotated[str | None, Field(max_length=64)] = None
    """Its UID; unset until it has been seen."""
    counters: Counters = Counters()
    """What was collected."""
    consumed: Annotated[tuple[PodOffset, ...], Field(max_length=64, json_schema_extra=ATOMIC)] = ()
    """The cut of the last ended run; newer signals count towards the next."""
    runs: Annotated[tuple[RunSummary, ...], Field(max_length=10, json_schema_extra=ATOMIC)] = ()
    """The last runs that ended, newest first."""
    gateway_revision: Annotated[str | None, Field(max_length=64)] = None
    """The configuration that every gateway pod has applied."""
    retention: RetentionStatus | None = None
    """What retention has done; unset before the first sweep."""
    assessments: AssessmentsStatus | None = None
    """What was projected into MLflow; unset before the first projection."""
    suites: Annotated[tuple[SuiteLooks, ...], Field(max_length=32, json_schema_extra=list_map("digest"))] = ()
    """How often the same items have decided."""
    promotions: Annotated[tuple[Promotion, ...], Field(max_length=10, json_schema_extra=ATOMIC)] = ()
    """The last promotions, newest first; the rollback window and the late watch look at them."""
    lifetime: LifetimeStatus | None = None
    """How the online procedure stands; unset without spec.rollout.lifetime."""
