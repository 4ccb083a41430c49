"""A Job that a loop runs every now and then, with its spec.json in an annotation of its own pod.

No ConfigMap has to be made before it and taken away after it: the Job is one object, it is deleted when its
result is known, and the cluster deletes what is left of one that nobody looked at any more.
"""

from __future__ import annotations

from enum import StrEnum

from feedbackloop.api import ANNOTATION_SPEC, LABEL_STAGE
from feedbackloop.api.adminconfig import PodProfile
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import LoopRef
from feedbackloop.api.jobs import SPEC_PATH, JobSpec
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata
from feedbackloop.domain.children.encryption import CREDENTIALS
from feedbackloop.domain.children.jobs import Mounted, data_secrets, mounted, pod, secret

DEADLINE_SECONDS = 3600
KEPT_SECONDS = 3600
"""How long the cluster keeps a finished Job that we have not deleted."""


class Periodic(StrEnum):
    """What a loop does every now and then; also the module of the job and the stage of its spec."""

    SWEEP = "sweep"
    ASSESS = "assess"


def periodic_job(loop: LoopRef, what: Periodic, spec: JobSpec, profile: PodProfile, declared: FeedbackLoopSpec) -> Json:
    """The Job; its name follows from the spec's run id alone."""
    text = naming.canonical_json(spec.to_wire())
    meta = metadata(loop, naming.job(loop.name, spec.run_id, 1), labels={LABEL_STAGE: what.value})
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": meta["labels"], "annotations": {ANNOTATION_SPEC: text}},
                "spec": pod(profile, what.value, _files(what, declared)),
            },
        },
    }


def _files(what: Periodic, declared: FeedbackLoopSpec) -> list[Mounted]:
    """A sweep deletes rejected models too, so it gets the write credential; nothing that users wrote runs beside it."""
    files = [_spec_file(), *data_secrets(declared)]
    if what is Periodic.SWEEP:
        files.append(secret("models-write", declared.models.write_credentials_secret_name, CREDENTIALS))
    return files


def _spec_file() -> Mounted:
    directory, _, name = SPEC_PATH.rpartition("/")
    item = {"path": name, "fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{ANNOTATION_SPEC}']"}}
    return mounted("spec", {"downwardAPI": {"defaultMode": 0o444, "items": [item]}}, directory)
