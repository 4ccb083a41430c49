"""The adapters that a controller is given, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedbackloop.adapters.ports import GatewaysPort, KubernetesPort, MlflowPort, NoSources, ObjectsPort, SourcesPort


@dataclass(frozen=True)
class Adapters:
    """All the I/O of the control plane."""

    kubernetes: KubernetesPort
    objects: ObjectsPort
    mlflow: MlflowPort
    gateways: GatewaysPort
    sources: SourcesPort = field(default_factory=NoSources)
