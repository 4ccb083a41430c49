"""The kinds that the control plane touches: what turns an object into a path of the API server.

A leaf, imported by adapters and controllers. A kind that is not listed here cannot be read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedbackloop.api import GROUP, VERSION


@dataclass(frozen=True)
class Kind:
    """A resource of the API server."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    shared: bool = False
    """Somebody else's object of which a part is ours: its managedFields, which tell who writes it, are read too."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, or of one object."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{scope}/{self.plural}{tail}"


FEEDBACK_LOOP = Kind(GROUP, VERSION, "feedbackloops", "FeedbackLoop")
IMPROVEMENT_RUN = Kind(GROUP, VERSION, "improvementruns", "ImprovementRun")
ERASURE_REQUEST = Kind(GROUP, VERSION, "erasurerequests", "ErasureRequest")
ROLLOUT_ACTION = Kind(GROUP, VERSION, "rolloutactions", "RolloutAction")

CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap")
SERVICE = Kind("", "v1", "services", "Service")
SERVICE_ACCOUNT = Kind("", "v1", "serviceaccounts", "ServiceAccount")
POD = Kind("", "v1", "pods", "Pod")
VOLUME_CLAIM = Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
DEPLOYMENT = Kind("apps", "v1", "deployments", "Deployment")
REPLICA_SET = Kind("apps", "v1", "replicasets", "ReplicaSet")
STATEFUL_SET = Kind("apps", "v1", "statefulsets", "StatefulSet")
JOB = Kind("batch", "v1", "jobs", "Job")
ROLE = Kind("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
POD_DISRUPTION_BUDGET = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
EVENT = Kind("events.k8s.io", "v1", "events", "Event")

HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", shared=True)
INFERENCE_SERVICE = Kind("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService", shared=True)
OPTIONAL: tuple[Kind, ...] = (HTTP_ROUTE, INFERENCE_SERVICE)
"""Served only where a router has installed them."""

ALL: tuple[Kind, ...] = (
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    ERASURE_REQUEST,
    ROLLOUT_ACTION,
    CONFIG_MAP,
    SERVICE,
    SERVICE_ACCOUNT,
    POD,
    VOLUME_CLAIM,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    JOB,
    ROLE,
    ROLE_BINDING,
    POD_DISRUPTION_BUDGET,
    NETWORK_POLICY,
    ENDPOINT_SLICE,
    LEASE,
    EVENT,
)
_BY_TYPE = {(k.api_version, k.kind): k for k in (*ALL, *OPTIONAL)}


def kind_of(body: Mapping[str, Any]) -> Kind:
    """The kind that an object's `apiVersion` and `kind` name; KeyError for one that we do not touch."""
    return _BY_TYPE[(str(body["apiVersion"]), str(body["kind"]))]
