"""The one interface that every provider has, and which one a rollout declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import LoopRef, Routing
from feedbackloop.api.rollout.routing import GatewayApi, TrafficRouting
from feedbackloop.domain.traffic.gateway_api import Route, observe, to_apply
from feedbackloop.domain.traffic.model import RouterSeen

Json = dict[str, Any]


@dataclass(frozen=True)
class RouterRead:
    """The object that splits the traffic, as it was read."""

    body: Json | None = None
    """With its managedFields; None: it is not there."""
    served: bool = True
    """The API server knows the kind."""
    forbidden: str = ""
    """The API server's words when the operator may not read it."""


class Provider(Protocol):
    def desired(self, routing: Routing) -> tuple[Json, ...]:
        """The objects to apply (with force) so that `routing` is in force; none when all is in place.

        With epoch 0 no rollout routes: what was there before us is put back.
        """
        ...

    def seen(self, routing: Routing, *, written_before: bool) -> RouterSeen | None:
        """What the router does with `routing`; None when the gateway's own report is all there is to know."""
        ...


@dataclass(frozen=True)
class ByGatewayAlone:
    """The loop's gateway, whose ConfigMap is written for every provider: with the others it counts only."""

    def desired(self, routing: Routing) -> tuple[Json, ...]:
        return ()

    def seen(self, routing: Routing, *, written_before: bool) -> RouterSeen | None:
        return None


@dataclass(frozen=True)
class ByRoute:
    """An HTTPRoute."""

    loop: LoopRef
    spec: GatewayApi
    read: RouterRead

    @property
    def _route(self) -> Route | None:
        return Route(self.read.body, self.loop, self.spec) if self.read.body is not None else None

    def desired(self, routing: Routing) -> tuple[Json, ...]:
        route = self._route
        if route is None or (routing.epoch > 0 and self.seen(routing, written_before=False).impossible):
            return ()
        body = to_apply(route, routing)
        return () if body is None else (body,)

    def seen(self, routing: Routing, *, written_before: bool) -> RouterSeen:
        route = self._route
        if route is None:
            return _absent(self.read, "HTTPRoute", self.spec.http_route_name, "Gateway API (v1)")
        return observe(route, routing, written_before=written_before)


def _absent(read: RouterRead, kind: str, name: str, api: str) -> RouterSeen:
    if not read.served:
        text = f"this cluster does not serve {kind}: install the CRDs of {api}, or let the gateway split"
        return RouterSeen(impossible=Reason.ROUTER_NOT_SUPPORTED, message=text)
    if read.forbidden:
        return RouterSeen(impossible=Reason.FORBIDDEN, message=read.forbidden)
    text = f"there is no {kind} {name} in this namespace; create it or correct the name"
    return RouterSeen(impossible=Reason.ROUTE_NOT_ACCEPTED, message=text)


def provider(declared: TrafficRouting, loop: LoopRef, read: RouterRead) -> Provider:
    """The declared provider, over what was read of its object."""
    if declared.gateway_api is not None:
        return ByRoute(loop, declared.gateway_api, read)
    return ByGatewayAlone()
