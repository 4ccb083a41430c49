"""The gateway's Services: one for apps and users, one by which the operator finds every pod."""

from __future__ import annotations

from feedbackloop.api import LABEL_LOOP
from feedbackloop.api.gateway import ADMIN_PORT, APP_PORT, FEEDBACK_PORT, LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata

COMPONENT = {"app.kubernetes.io/name": "feedbackloop-gateway"}


def pod_labels(loop: LoopRef) -> dict[str, str]:
    """The labels that select the loop's gateway pods."""
    return {**COMPONENT, LABEL_LOOP: loop.name}


def app_service(loop: LoopRef) -> Json:
    """The app port for the team's servers, the feedback port for users."""
    ports = [_port("app", APP_PORT), _port("feedback", FEEDBACK_PORT)]
    return _service(loop, naming.gateway(loop.name), {"ports": ports})


def pods_service(loop: LoopRef) -> Json:
    """Every pod's address, ready or not: a pod that is draining is not ready, but is still asked.

    The operator asks the admin port, the pods hand each other what belongs to them on the app port.
    """
    ports = [_port("admin", ADMIN_PORT), _port("app", APP_PORT)]
    spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "ports": ports}
    return _service(loop, naming.gateway_pods(loop.name), spec)


def _service(loop: LoopRef, name: str, spec: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(loop, name, labels=COMPONENT),
        "spec": {"selector": pod_labels(loop), **spec},
    }


def _port(name: str, number: int) -> Json:
    return {"name": name, "port": number, "targetPort": name, "protocol": "TCP"}
