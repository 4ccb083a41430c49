"""Adoption: the fields, and no others, that we own of the target's Deployment.

An init container of ours fetches the model by digest and verifies it into an emptyDir that the
server mounts; the model container learns URI and digest. Applied without force: who owns one of
these fields already is named, never overruled. After the loop's deletion the fields stay, so the
target goes on serving what it serves.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.adminconfig import AdminConfig, Endpoint, PodProfile
from feedbackloop.api.feedbackloop import Model, Target
from feedbackloop.domain.children.common import LIBRARY, Json, container_security, optional

INIT_CONTAINER = "feedbackloop-model"
VOLUME = "feedbackloop-model"
MOUNT = "/feedbackloop-model"
_SECRET_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class ModelSource:
    """How a pod gets at a model: the endpoint, the read credential and the image that fetches it."""

    endpoint: Endpoint
    secret_name: str
    profile: PodProfile


def source(admin: AdminConfig, endpoint: Endpoint, secret_name: str) -> ModelSource:
    """The source of a loop whose models lie at this endpoint."""
    return ModelSource(endpoint, secret_name, admin.jobs)


def adoption(deployment: Json, target: Target, model: Model, origin: ModelSource) -> Json:
    """What to apply to the target so that its pods serve this model.

    The uid makes the apply fail on a Deployment that was deleted meanwhile, instead of creating a stump.
    """
    meta = deployment["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "spec": {
            "template": {
                "spec": {
                    "initContainers": [init_container(model, origin)],
                    "containers": [_model_container(target, model)],
                    "volumes": [volume()],
                }
            }
        },
    }


def _model_container(target: Target, model: Model) -> Json:
    return {"name": target.model_container, "env": model_env(model), "volumeMounts": [mount(target)]}


def model_env(model: Model) -> list[Json]:
    """What the server is told of its model."""
    return [{"name": "MODEL_URI", "value": model.uri}, {"name": "MODEL_DIGEST", "value": model.digest}]


def mount(target: Target) -> Json:
    """Where the server reads the model."""
    return {"name": VOLUME, "mountPath": target.model_path, "readOnly": True}


def volume() -> Json:
    """Where the model lies for the life of the pod."""
    return {"name": VOLUME, "emptyDir": {}}


def init_container(model: Model, origin: ModelSource) -> Json:
    """Fetches the model and verifies every hash; the pod does not start with any other model."""
    return {
        "name": INIT_CONTAINER,
        "image": origin.profile.image,
        "imagePullPolicy": origin.profile.image_pull_policy,
        "command": [origin.profile.python, "-m", "feedbackloop.jobs.fetch"],
        "env": _init_env(model, origin),
        "volumeMounts": [{"name": VOLUME, "mountPath": MOUNT}],
        "securityContext": container_security(),
        **optional(resources=origin.profile.resources),
    }


def _init_env(model: Model, origin: ModelSource) -> list[Json]:
    plain = {"MODEL_ENDPOINT_URL": origin.endpoint.url, "MODEL_REGION": origin.endpoint.region, "PYTHONPATH": LIBRARY}
    return [
        *model_env(model),
        *({"name": name, "value": value} for name, value in plain.items()),
        *(
            {"name": key, "valueFrom": {"secretKeyRef": {"name": origin.secret_name, "key": key}}}
            for key in _SECRET_KEYS
        ),
    ]
