"""How many of the gateway's pods may be taken away at a time: one, so that most sessions keep their owner."""

from __future__ import annotations

from feedbackloop.api.gateway import LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata
from feedbackloop.domain.children.gateway.services import COMPONENT, pod_labels


def disruption_budget(loop: LoopRef) -> Json:
    """For a gateway of several pods; with a single one it would only stop a node from being drained."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(loop, naming.gateway(loop.name), labels=COMPONENT),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": pod_labels(loop)}},
    }
