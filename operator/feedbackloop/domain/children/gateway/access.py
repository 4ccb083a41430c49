"""What the gateway may do in the cluster: read the one ConfigMap that configures it."""

from __future__ import annotations

from feedbackloop.api.gateway import LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata

_RBAC = "rbac.authorization.k8s.io"


def service_account(loop: LoopRef) -> Json:
    """Its identity; pods mount the token explicitly."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(loop, naming.gateway(loop.name)),
        "automountServiceAccountToken": False,
    }


def role(loop: LoopRef) -> Json:
    """Exactly one object, read-only; the operator holds these verbs itself, so it needs no `escalate`."""
    rule = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [naming.gateway(loop.name)],
        "verbs": ["get", "watch"],
    }
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata(loop, naming.gateway(loop.name)),
        "rules": [rule],
    }


def role_binding(loop: LoopRef) -> Json:
    """The role for the account."""
    name = naming.gateway(loop.name)
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata(loop, name),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": loop.namespace}],
    }
