"""Whose answer it was, when another router splits the traffic: the app reports the revision that served it.

The arm is that of the served revision, never that of an intended weight. Latency and errors are not known here, so
such an answer is counted for the share and may open a unit, and no guardrail of the gateway's own counts sees it.
"""

from __future__ import annotations

from feedbackloop.api.gateway import Arm, GatewayConfig
from feedbackloop.events.records import Serving


def reported(config: GatewayConfig, model_version: str, session: str) -> Serving | None:
    """How a posted interaction was served; None when the gateway splits itself, or for a revision of neither arm."""
    routing = config.routing
    if not config.reported or not routing.run_uid:
        return None
    arms = [(Arm.STABLE, routing.stable)] + ([(Arm.CANARY, routing.canary)] if routing.canary else [])
    for arm, backend in arms:
        if model_version == backend.digest:
            return Serving(
                run_uid=routing.run_uid,
                epoch=routing.epoch,
                arm=arm.value,
                assigned=arm.value,
                digest=backend.digest,
                counted=bool(session),
                reported=True,
            )
    return None
