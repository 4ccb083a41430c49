"""A real API server with the Gateway API's and KServe's own CRDs, and Contour with Envoy on it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import partners
from tests.cluster.partners.contour import LISTENER_OFFSET, gateway_objects
from tests.cluster.waiting import wait_for
from tests.partners.edge import Edge, edge
from tests.partners.servers import arm
from tests.support.apiserver import ApiServer, api_server
from tests.support.seaweedfs import free_ports

NAME = "partners"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.partners)


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server(NAME) as server:
        crds = [*partners.gateway_api_crds(), *partners.contour_crds(), *partners.kserve_crds()]
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": crds})
        server.kubectl("apply", "--server-side", "-f", "-", stdin=body)
        names = {crd["metadata"]["name"] for crd in crds if crd["kind"] == "CustomResourceDefinition"}
        wait_for(lambda: names <= established(server), "the partners' CRDs to be served", seconds=120)
        yield server


def established(server: ApiServer) -> set[str]:
    """The CRDs that are served; one that was just made has no conditions yet."""
    items = json.loads(server.kubectl("get", "crd", "-o", "json"))["items"]
    met = {i["metadata"]["name"]: i.get("status", {}).get("conditions") or () for i in items}
    return {name for name, conditions in met.items() if ("Established", "True") in _pairs(conditions)}


def _pairs(conditions: Iterable[dict[str, str]]) -> set[tuple[str, str]]:
    return {(c["type"], c["status"]) for c in conditions}


@pytest.fixture(scope="session")
def contour(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[partners.Contour]:
    listener, *ports = free_ports(4)
    # The listener's own port stays unused: Envoy serves it 8000 above.
    listener = listener if listener + LISTENER_OFFSET < 65_536 else listener - LISTENER_OFFSET
    server.apply(*gateway_objects(listener))
    folder = tmp_path_factory.mktemp("contour")
    with partners.contour(server.kubeconfig, folder, listener=listener, ports=(ports[0], ports[1], ports[2])) as up:
        yield up


@pytest.fixture(scope="session")
def arms() -> Iterator[dict[str, int]]:
    """The ports of both arms' servers."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(arm(name)) for name in ("stable", "canary")}


@pytest.fixture
async def team(server: ApiServer, contour: partners.Contour, arms: dict[str, int]) -> AsyncIterator[Edge]:
    async with edge(server, contour, arms) as made:
        yield made
