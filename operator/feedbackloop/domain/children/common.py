"""What all children share: their metadata and the restricted pod-security level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedbackloop.api import API_VERSION, LABEL_LOOP
from feedbackloop.api.gateway import LoopRef

Json = dict[str, Any]

UID = 10001
"""User and group of every process of ours."""
PYTHON = "/opt/feedbackloop/venv/bin/python"
LIBRARY = "/opt/feedbackloop/lib"
_NONE: Mapping[str, str] = {}


def metadata(loop: LoopRef, name: str, *, labels: Mapping[str, str] = _NONE) -> Json:
    """The metadata of a child of the loop."""
    return {
        "name": name,
        "namespace": loop.namespace,
        "labels": {
            "app.kubernetes.io/managed-by": "feedbackloop",
            "app.kubernetes.io/instance": loop.name,
            LABEL_LOOP: loop.name,
            **labels,
        },
        "ownerReferences": [owner_reference(loop)],
    }


def owner_reference(loop: LoopRef) -> Json:
    """The loop as controller of a child.

    Without `blockOwnerDeletion`: setting it asks for a right on the loop's finalizers, and a
    foreground deletion would take the gateway away before it has drained.
    """
    return {"apiVersion": API_VERSION, "kind": "FeedbackLoop", "name": loop.name, "uid": loop.uid, "controller": True}


def container_security() -> Json:
    """The restricted level, for a container that may stand in a pod of somebody else's."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def pod_security() -> Json:
    """The restricted level, for a pod of ours."""
    return {
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "fsGroup": UID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def optional(**fields: Any) -> Json:
    """The fields that are set: the server drops empty ones, so they are never sent."""
    return {key: value for key, value in fields.items() if value not in (None, {}, [], ())}
