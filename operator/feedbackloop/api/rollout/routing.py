"""Who splits the traffic: the loop's gateway, a Gateway API implementation, KServe, or replicas alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Fraction, HeaderName, KubeModel, Name, Rule


class ByGateway(KubeModel):
    """The loop's own gateway: sticky sessions, shadow, exact shares."""


class GatewayApi(KubeModel):
    http_route_name: Name
    """The HTTPRoute of this namespace whose rule is written."""
    rule_name: Name
    """The rule's name: the only part of the route that is ours."""
    bucket_header: HeaderName = "X-Fl-Bucket"
    """The header with the session's bucket (0 to 99) that makes sessions sticky; set by the app or an edge filter."""


class Replicas(KubeModel):
    """One Service for both arms: shares follow from the replicas, per connection and not sticky."""

    max_share_error: Fraction = "0.05"
    """The largest distance from a step's weight; a step that the replicas cannot give is refused."""


class KServe(KubeModel):
    inference_service_name: Name
    """The InferenceService of this namespace whose spec.canary list is written (KServe 0.20 and later)."""


class TrafficRouting(KubeModel):
    rules = (
        Rule(
            "[has(self.gateway), has(self.gatewayAPI), has(self.kserve), has(self.replicas)].filter(x, x).size() == 1",
            "trafficRouting: give exactly one of gateway, gatewayAPI, kserve and replicas",
        ),
    )

    gateway: ByGateway | None = None
    """The loop's gateway splits."""
    gateway_api: Annotated[GatewayApi | None, Field(alias="gatewayAPI")] = None
    """An HTTPRoute splits."""
    kserve: KServe | None = None
    """KServe splits."""
    replicas: Replicas | None = None
    """The numbers of replicas split."""
