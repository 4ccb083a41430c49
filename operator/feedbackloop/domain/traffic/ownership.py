"""Which object, or which part of one, a rollout writes: no two loops may write the same."""

from __future__ import annotations

from feedbackloop.api.rollout.routing import TrafficRouting


def owned(declared: TrafficRouting) -> str | None:
    """A name for it, unique in the namespace; None where the loop writes only objects of its own.

    Two loops with the same name collide: the older one wins, the newer is `RouteOwnedByOtherLoop`.
    """
    if declared.gateway_api is not None:
        return f"rule {declared.gateway_api.rule_name} of HTTPRoute {declared.gateway_api.http_route_name}"
    if declared.kserve is not None:
        return f"InferenceService {declared.kserve.inference_service_name}"
    return None
