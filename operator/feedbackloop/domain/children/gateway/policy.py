"""Who may reach the gateway: everybody its app and feedback ports, the operator alone its admin port."""

from __future__ import annotations

from feedbackloop.api.gateway import ADMIN_PORT, APP_PORT, FEEDBACK_PORT, LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata
from feedbackloop.domain.children.gateway.services import COMPONENT, pod_labels

OPERATOR_LABELS = {"app.kubernetes.io/name": "feedbackloop-operator"}


def network_policy(loop: LoopRef, operator_namespace: str | None) -> Json:
    """The admin port has no authentication; this is what guards it."""
    users: Json = {"ports": [_port(APP_PORT), _port(FEEDBACK_PORT)]}
    operator: Json = {"from": [_operator(operator_namespace or loop.namespace)], "ports": [_port(ADMIN_PORT)]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(loop, naming.gateway(loop.name), labels=COMPONENT),
        "spec": {
            "podSelector": {"matchLabels": pod_labels(loop)},
            "policyTypes": ["Ingress"],
            "ingress": [users, operator],
        },
    }


def _operator(namespace: str) -> Json:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": OPERATOR_LABELS},
    }


def _port(number: int) -> Json:
    return {"port": number, "protocol": "TCP"}
