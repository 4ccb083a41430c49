"""Who may reach the gateway: everybody its app and feedback ports, the operator alone its admin port."""

from __future__ import annotations

from collections.abc import Sequence

from feedbackloop.api.gateway import ADMIN_PORT, APP_PORT, FEEDBACK_PORT, METRICS_PORT, LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata
from feedbackloop.domain.children.gateway.services import COMPONENT, pod_labels

OPERATOR_LABELS = {"app.kubernetes.io/name": "feedbackloop-operator"}


def network_policy(loop: LoopRef, operator_namespace: str | None, metrics_from: Sequence[Json] = ()) -> Json:
    """The admin port has no authentication; this is what guards it. The app port is also how pods reach each other."""
    users: Json = {"ports": [_port(APP_PORT), _port(FEEDBACK_PORT)]}
    operator: Json = {"from": [_operator(operator_namespace or loop.namespace)], "ports": [_port(ADMIN_PORT)]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(loop, naming.gateway(loop.name), labels=COMPONENT),
        "spec": {
            "podSelector": {"matchLabels": pod_labels(loop)},
            "policyTypes": ["Ingress"],
            "ingress": [users, operator, *_readers(metrics_from)],
        },
    }


def _readers(peers: Sequence[Json]) -> list[Json]:
    """Of metrics: a rule without peers would admit everybody, so there is none."""
    return [{"from": list(peers), "ports": [_port(METRICS_PORT)]}] if peers else []


def _operator(namespace: str) -> Json:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": OPERATOR_LABELS},
    }


def _port(number: int) -> Json:
    return {"port": number, "protocol": "TCP"}
