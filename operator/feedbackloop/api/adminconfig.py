"""The admin's configuration: one validated YAML file, mounted from the chart's values.

Users name entries of it; they never write a URL, an image or a field of a pod.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator

from feedbackloop.api.base import KubeModel, Name


class EndpointType(StrEnum):
    S3 = "S3"
    MLFLOW = "MLflow"
    AWS_KMS = "AwsKms"
    VAULT = "Vault"
    PROMETHEUS = "Prometheus"
    JUDGE = "Judge"
    """An OpenAI-compatible server."""


Url = Annotated[str, Field(max_length=300, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?/?$")]


class Endpoint(KubeModel):
    """A service that loops may name. Only these hosts ever receive a credential."""

    name: Name
    """The name that loops use."""
    type: EndpointType
    """What it speaks."""
    url: Url
    """Scheme, host and port."""
    region: Annotated[str, Field(max_length=40)] = "us-east-1"
    """The S3 region."""


class ProfileVolume(KubeModel):
    claim_name: Name
    """A PersistentVolumeClaim of the loop's namespace."""
    mount_path: Annotated[str, Field(max_length=200, pattern=r"^/")]
    """Where it is mounted, read-only."""


class PodProfile(KubeModel):
    """A pod that the admin allows: everything a user must not write."""

    name: Name
    """The name that loops use."""
    image: Annotated[str, Field(min_length=1, max_length=300)]
    """The image."""
    image_pull_policy: Annotated[str, Field(pattern=r"^(Always|IfNotPresent|Never)$")] = "IfNotPresent"
    """When the image is pulled."""
    python: Annotated[str, Field(max_length=200, pattern=r"^/")] = "/opt/feedbackloop/venv/bin/python"
    """The interpreter of the environment that runs the job; feedbackloop itself comes from the image."""
    env: Annotated[dict[str, str], Field(default_factory=dict)]
    """Additional environment variables."""
    resources: Annotated[dict[str, dict[str, str]], Field(default_factory=dict)]
    """Requests and limits, as in a container."""
    node_selector: Annotated[dict[str, str], Field(default_factory=dict)]
    """Where it may run."""
    tolerations: Annotated[list[dict[str, Any]], Field(default_factory=list)]
    """Taints it tolerates."""
    volumes: Annotated[tuple[ProfileVolume, ...], Field(max_length=8)] = ()
    """Read-only volumes, such as a shared training environment."""
    scratch_size_limit: Annotated[str, Field(max_length=20)] = "2Gi"
    """The size of the writable scratch directory."""


class GatewaySettings(KubeModel):
    """The pods of the gateways."""

    image: Annotated[str, Field(min_length=1, max_length=300)]
    """The image."""
    image_pull_policy: Annotated[str, Field(pattern=r"^(Always|IfNotPresent|Never)$")] = "IfNotPresent"
    """When the image is pulled."""
    storage_class_name: Annotated[str | None, Field(max_length=253)] = None
    """The class of the log's volume; the cluster's default when unset."""
    storage: Annotated[str, Field(max_length=20)] = "4Gi"
    """The size of the log's volume."""
    resources: Annotated[dict[str, dict[str, str]], Field(default_factory=dict)]
    """Requests and limits, as in a container."""
    metrics_from: Annotated[list[dict[str, Any]], Field(default_factory=list, max_length=8)]
    """NetworkPolicy peers that may read the metrics port; nobody when empty."""
    drain_seconds: Annotated[int, Field(ge=1, le=3600)] = 120
    """How long a deleted loop waits for its log to drain before the volume is kept."""


class Limits(KubeModel):
    poll_active_seconds: Annotated[float, Field(gt=0)] = 2.0
    """How often gateways are asked while a run is active."""
    poll_idle_seconds: Annotated[float, Field(gt=0)] = 15.0
    """How often gateways are asked otherwise."""
    max_stage_failures: Annotated[int, Field(ge=0, le=20)] = 3
    """Failed attempts of a stage before its run fails."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Keys that are reconciled at the same time."""


class AdminConfig(KubeModel):
    """The whole file."""

    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=64)]
    """Services that loops may name."""
    profiles: Annotated[tuple[PodProfile, ...], Field(max_length=64)]
    """Pods that loops may name for training and evaluation."""
    jobs: PodProfile
    """The pod of the light stages (curate) and of the init container that fetches a model."""
    gateway: GatewaySettings
    """The pods of the gateways."""
    limits: Limits = Limits()
    """Limits of the operator."""
    operator_namespace: Name | None = None
    """Where the operator's pod runs: gateways admit only it to their admin port. Unset: the loop's own namespace."""
    credentials_path: Annotated[str, Field(max_length=200, pattern=r"^/")] = "/etc/feedbackloop/credentials"
    """The operator's own credentials: a directory for each endpoint, with a file for each key."""

    @field_validator("endpoints", "profiles")
    @classmethod
    def _unique(cls, items: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [item.name for item in items]
        if len(set(names)) != len(names):
            raise ValueError("names must be unique")
        return items

    def endpoint(self, name: str, type_: EndpointType) -> Endpoint | None:
        """The endpoint of that name and type."""
        return next((e for e in self.endpoints if e.name == name and e.type == type_), None)

    def profile(self, name: str) -> PodProfile | None:
        """The profile of that name."""
        return next((p for p in self.profiles if p.name == name), None)
