"""One look at the object of a traffic provider: what it is, or why it cannot be seen."""

from __future__ import annotations

from feedbackloop.adapters.kinds import HTTP_ROUTE, Kind
from feedbackloop.adapters.ports import KubernetesPort
from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout.routing import TrafficRouting
from feedbackloop.domain.errors import Gone, UserError
from feedbackloop.domain.traffic.provider import RouterRead


async def read_router(kubernetes: KubernetesPort, namespace: str, declared: TrafficRouting) -> RouterRead | None:
    """None when the provider has no object of its own. An API server that does not answer raises, as ever."""
    meant = _object(declared)
    if meant is None:
        return None
    try:
        return await _read(kubernetes, namespace, *meant)
    except UserError as cause:
        if cause.reason is not Reason.FORBIDDEN:
            raise
        return RouterRead(forbidden=cause.message)


def _object(declared: TrafficRouting) -> tuple[Kind, str] | None:
    if declared.gateway_api is not None:
        return HTTP_ROUTE, declared.gateway_api.http_route_name
    return None


async def _read(kubernetes: KubernetesPort, namespace: str, kind: Kind, name: str) -> RouterRead:
    body = await kubernetes.get(kind, namespace, name)
    if body is not None:
        return RouterRead(body)
    try:
        # An absent object and an absent kind are both a 404; only a list tells them apart.
        await kubernetes.list(kind, namespace)
    except Gone:
        return RouterRead(served=False)
    return RouterRead()
