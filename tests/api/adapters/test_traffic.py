from __future__ import annotations

from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.traffic import read_router
from feedbackloop.api.rollout.routing import ByGateway, GatewayApi, TrafficRouting
from feedbackloop.domain.traffic.provider import RouterRead
from tests.support.apiserver import ApiServer

DECLARED = TrafficRouting(gateway_api=GatewayApi(http_route_name="support", rule_name="chat"))
SCHEMA = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def stand_in() -> dict[str, object]:
    """A kind of the same name and no more: the released CRDs are for `tests/partners`."""
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
    names = {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute", "listKind": "HTTPRouteList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "httproutes.gateway.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in of a test"},
        },
        "spec": {"group": "gateway.networking.k8s.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


async def test_the_gateway_has_no_object_of_its_own(kubernetes: KubernetesAdapter, namespace: str) -> None:
    assert await read_router(kubernetes, namespace, TrafficRouting(gateway=ByGateway())) is None


async def test_edge_case_41_a_kind_that_is_not_served_is_told_from_an_object_that_is_not_there(
    kubernetes: KubernetesAdapter, namespace: str, server: ApiServer
) -> None:
    assert await read_router(kubernetes, namespace, DECLARED) == RouterRead(served=False)
    server.apply(stand_in())
    server.kubectl("wait", "--for=create", "crd/httproutes.gateway.networking.k8s.io", "--timeout=30s")
    try:
        await _served(kubernetes, namespace)
        route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "support"}}
        server.apply({**route, "metadata": {"name": "support", "namespace": namespace}})
        read = await read_router(kubernetes, namespace, DECLARED)
        assert read is not None
        assert read.body is not None
        assert read.body["metadata"]["managedFields"], "who writes a shared object is read too"
    finally:
        server.kubectl("delete", "crd", "httproutes.gateway.networking.k8s.io")


async def _served(kubernetes: KubernetesAdapter, namespace: str) -> None:
    for _ in range(3000):  # each look is a request: no sleep is needed, and the server's own deadline ends it
        if await read_router(kubernetes, namespace, DECLARED) == RouterRead():
            return
    raise AssertionError("the stand-in was never served")
