"""The arms: headless Services whose addresses are the ready pods of stable and of the canary."""

from __future__ import annotations

from collections.abc import Mapping

from feedbackloop.api import LABEL_ARM, LABEL_LOOP
from feedbackloop.api.gateway import Arm, LoopRef
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata


def stable_service(loop: LoopRef, *, selector: Mapping[str, str], port_name: str, port: int) -> Json:
    """The pods that the target's own selector finds."""
    return _service(loop, naming.stable(loop.name), Arm.STABLE, selector, port_name, port)


def canary_service(loop: LoopRef, *, port_name: str, port: int) -> Json:
    """The pods of our canary Deployment."""
    return _service(loop, naming.canary(loop.name), Arm.CANARY, canary_selector(loop), port_name, port)


def canary_selector(loop: LoopRef) -> dict[str, str]:
    """The labels that only canary pods carry."""
    return {LABEL_LOOP: loop.name, LABEL_ARM: Arm.CANARY.value}


def _service(loop: LoopRef, name: str, arm: Arm, selector: Mapping[str, str], port_name: str, port: int) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(loop, name, labels={LABEL_ARM: arm.value}),
        "spec": {
            "clusterIP": "None",
            "selector": dict(selector),
            "ports": [{"name": port_name, "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    }
