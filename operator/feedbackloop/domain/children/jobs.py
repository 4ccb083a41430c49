"""A stage's Job and the immutable ConfigMap with its spec.

`backoffLimit: 0`: retries are ours, since only we know which ends of a pod count against the
limit. Every attempt is a Job of its own name; all attempts share the ConfigMap of their run id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedbackloop.api import ANNOTATION_SPEC_DIGEST, API_VERSION, LABEL_LOOP, LABEL_RUN, LABEL_STAGE
from feedbackloop.api.adminconfig import PodProfile
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.improvementrun import StageName
from feedbackloop.api.jobs import SECRETS_PATH, SPEC_PATH, SUITES_PATH
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import LIBRARY, Json, container_security, optional, pod_security
from feedbackloop.domain.children.encryption import CREDENTIALS, volume_source
from feedbackloop.domain.jobs.identity import Rendered
from feedbackloop.domain.jobs.specs import config_maps

SCRATCH = "/scratch"
GRACE_SECONDS = 60
"""After SIGTERM a trainer writes a checkpoint."""


@dataclass(frozen=True)
class RunRef:
    """The run that owns the children."""

    namespace: str
    loop: str
    name: str
    uid: str


@dataclass(frozen=True)
class Attempt:
    """What makes one attempt at a stage different from another."""

    stage: StageName
    spec: Rendered
    number: int
    halvings: int
    deadline_seconds: int
    """What is left of the stage's deadline."""


def config_map(run: RunRef, stage: StageName, spec: Rendered) -> Json:
    """The spec file."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(run, stage, spec, naming.job_spec(run.loop, spec.run_id)),
        "immutable": True,
        "data": {SPEC_PATH.rsplit("/", 1)[-1]: spec.text},
    }


def job(run: RunRef, attempt: Attempt, profile: PodProfile, loop: FeedbackLoopSpec) -> Json:
    """The Job of one attempt."""
    name = naming.job(run.loop, attempt.spec.run_id, attempt.number)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run, attempt.stage, attempt.spec, name),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": attempt.deadline_seconds,
            "template": {
                "metadata": {"labels": _labels(run, attempt.stage)},
                "spec": _pod(run, attempt, profile, loop),
            },
        },
    }


def _metadata(run: RunRef, stage: StageName, spec: Rendered, name: str) -> Json:
    owner = {"apiVersion": API_VERSION, "kind": "ImprovementRun", "name": run.name, "uid": run.uid, "controller": True}
    return {
        "name": name,
        "namespace": run.namespace,
        "labels": _labels(run, stage),
        "annotations": {ANNOTATION_SPEC_DIGEST: spec.digest},
        "ownerReferences": [owner],
    }


def _labels(run: RunRef, stage: StageName) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "feedbackloop",
        "app.kubernetes.io/instance": run.loop,
        LABEL_LOOP: run.loop,
        LABEL_RUN: naming.label_value(run.name),
        LABEL_STAGE: stage.value,
    }


def _pod(run: RunRef, attempt: Attempt, profile: PodProfile, loop: FeedbackLoopSpec) -> Json:
    mounts = [*_spec_volume(run, attempt), *_secret_volumes(attempt.stage, loop), *_suites(attempt.stage, loop)]
    return pod(profile, attempt.stage.value, mounts, attempt=attempt.number, halvings=attempt.halvings)


Mounted = tuple[Json, Json]
"""A volume and its mount."""


def pod(profile: PodProfile, module: str, mounts: Sequence[Mounted], *, attempt: int = 1, halvings: int = 0) -> Json:
    """The pod that runs `feedbackloop.jobs.<module>` with these files, and scratch and volumes of its profile."""
    volumes = [*mounts, *_scratch(profile), *_claims(profile)]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": pod_security(),
        "containers": [_container(module, profile, _env(attempt, halvings, profile), [mount for _, mount in volumes])],
        "volumes": [volume for volume, _ in volumes],
        **optional(nodeSelector=profile.node_selector, tolerations=profile.tolerations),
    }


def _container(module: str, profile: PodProfile, env: list[Json], mounts: list[Json]) -> Json:
    return {
        "name": "job",
        "image": profile.image,
        "imagePullPolicy": profile.image_pull_policy,
        "command": [profile.python, "-m", f"feedbackloop.jobs.{module}"],
        "env": env,
        "securityContext": container_security(),
        "volumeMounts": mounts,
        **optional(resources=profile.resources),
    }


def _env(attempt: int, halvings: int, profile: PodProfile) -> list[Json]:
    ours = {
        "FL_ATTEMPT": str(attempt),
        "FL_HALVINGS": str(halvings),
        "FL_SCRATCH": SCRATCH,
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "PYTHONPATH": LIBRARY,
    }
    return [{"name": name, "value": value} for name, value in {**profile.env, **ours}.items()]


def _spec_volume(run: RunRef, attempt: Attempt) -> list[Mounted]:
    source = {"configMap": {"name": naming.job_spec(run.loop, attempt.spec.run_id)}}
    return [mounted("spec", source, SPEC_PATH.rsplit("/", 1)[0])]


def _secret_volumes(stage: StageName, loop: FeedbackLoopSpec) -> list[Mounted]:
    """Only what the stage needs: models reach train and evaluate, the write credential train alone."""
    needed = data_secrets(loop)
    if stage in (StageName.TRAIN, StageName.EVALUATE):
        needed.append(secret("models", loop.models.credentials_secret_name, CREDENTIALS))
    if stage is StageName.TRAIN:
        needed.append(secret("models-write", loop.models.write_credentials_secret_name, CREDENTIALS))
    judge = loop.evaluation.judge if loop.evaluation is not None else None
    if stage in (StageName.EVALUATE, StageName.SHADOW) and judge is not None and judge.token_secret_name is not None:
        needed.append(secret("judge", judge.token_secret_name, ("token",)))
    return needed


def _suites(stage: StageName, loop: FeedbackLoopSpec) -> list[Mounted]:
    """ConfigMaps with items, for the stages that read items.

    Optional: without it the kubelet would hold the pod back without a word in any status; so the job starts, and
    says which ConfigMap or key is missing.
    """
    if stage in (StageName.TRAIN, StageName.SHADOW):
        return []
    names = config_maps(loop)
    sources = [{"configMap": {"name": name, "optional": True}} for name in names]
    return [mounted(f"suite-{i}", source, f"{SUITES_PATH}/{names[i]}") for i, source in enumerate(sources)]


def data_secrets(loop: FeedbackLoopSpec) -> list[Mounted]:
    """What every job needs: the loop's objects and the key to them."""
    return [
        secret("storage", loop.storage.credentials_secret_name, CREDENTIALS),
        mounted("secret-kek", volume_source(loop.encryption.key), f"{SECRETS_PATH}/kek"),
    ]


def secret(directory: str, name: str, keys: tuple[str, ...]) -> Mounted:
    """Keys of a Secret as files below `secrets/<directory>`."""
    items = [{"key": key, "path": key} for key in keys]
    # 0440: the files belong to root, and the process reads them through the pod's fsGroup.
    source = {"secret": {"secretName": name, "defaultMode": 0o440, "items": items}}
    return mounted(f"secret-{directory}", source, f"{SECRETS_PATH}/{directory}")


def _scratch(profile: PodProfile) -> list[Mounted]:
    source = {"emptyDir": {"medium": "Memory", "sizeLimit": profile.scratch_size_limit}}
    return [mounted("scratch", source, SCRATCH, read_only=False)]


def _claims(profile: PodProfile) -> list[Mounted]:
    return [
        mounted(f"profile-{i}", {"persistentVolumeClaim": {"claimName": v.claim_name, "readOnly": True}}, v.mount_path)
        for i, v in enumerate(profile.volumes)
    ]


def mounted(name: str, source: Json, path: str, *, read_only: bool = True) -> Mounted:
    """A volume of that source, and where it is mounted."""
    return {"name": name, **source}, {"name": name, "mountPath": path, **optional(readOnly=read_only or None)}
