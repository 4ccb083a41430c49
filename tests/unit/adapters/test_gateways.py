"""Gateway pods, as real HTTP servers on loopback, found through EndpointSlices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from feedbackloop.adapters.gateways import GatewaysAdapter, admin_url
from feedbackloop.adapters.kinds import Kind
from feedbackloop.domain.errors import Transient

Json = dict[str, Any]


class Pods:
    """Servers by address, and the slices that name them."""

    def __init__(self) -> None:
        self.servers: dict[str, TestServer] = {}
        self.urls: dict[str, str] = {}
        self.slices: list[Json] = []
        self.lists = 0
        self.drained: list[str] = []

    async def start(
        self, pod: str, address: str, *, says: str | None = None, status: int = 200, body: Json | None = None
    ) -> None:
        app = web.Application()

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body or {"pod": says or pod, "revision": "r"}, status=status)

        async def drain(_: web.Request) -> web.Response:
            self.drained.append(pod)
            return web.Response(status=202)

        app.add_routes([web.get("/status", answer), web.post("/drain", drain)])
        self.servers[address] = TestServer(app)
        await self.servers[address].start_server()
        self.urls[address] = f"http://127.0.0.1:{self.servers[address].port}"

    def publish(self, **pods: str) -> None:
        endpoints = [{"addresses": [a], "targetRef": {"kind": "Pod", "name": p}} for p, a in pods.items()]
        self.slices = [{"endpoints": endpoints}, {"endpoints": None}]

    def url(self, pod: str, address: str) -> str:
        return self.urls[address]

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] | None = None) -> list[Json]:
        assert labels == {"kubernetes.io/service-name": "l-gateway-pods"}
        self.lists += 1
        return self.slices


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    pods = Pods()
    yield pods
    for server in pods.servers.values():
        await server.close()


@pytest.fixture
async def gateways(pods: Pods) -> AsyncIterator[GatewaysAdapter]:
    adapter = GatewaysAdapter(pods, url_of=pods.url)  # type: ignore[arg-type]
    yield adapter
    await adapter.close()


async def test_every_expected_pod_answers_in_order(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-1", "10.0.0.2")
    await pods.start("l-gateway-0", "10.0.0.1")
    pods.publish(**{"l-gateway-1": "10.0.0.2", "l-gateway-0": "10.0.0.1"})
    found = await gateways.statuses("ns", "l", 2)
    assert found is not None
    assert [status.pod for status in found] == ["l-gateway-0", "l-gateway-1"]


async def test_fewer_or_more_pods_than_expected_are_no_answer(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1")
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    assert await gateways.statuses("ns", "l", 2) is None
    assert await gateways.statuses("ns", "l", 1) is not None
    pods.publish()
    assert await gateways.statuses("ns", "l", 1) is not None, "the remembered pod still answers as itself"


async def test_a_pod_that_does_not_answer_is_no_answer(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1", status=503)
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    assert await gateways.statuses("ns", "l", 1) is None


async def test_polling_asks_the_api_server_only_while_addresses_are_new(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1")
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    for _ in range(5):
        assert await gateways.statuses("ns", "l", 1) is not None
    assert pods.lists == 1


async def test_a_pod_that_moved_is_found_again_in_the_same_call(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1")
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    assert await gateways.statuses("ns", "l", 1) is not None
    await pods.servers["10.0.0.1"].close()
    await pods.start("l-gateway-0", "10.0.0.9")
    pods.publish(**{"l-gateway-0": "10.0.0.9"})
    assert await gateways.statuses("ns", "l", 1) is not None
    assert pods.lists == 2


async def test_another_pod_at_a_remembered_address_is_not_believed(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1", says="other-gateway-0")
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    assert await gateways.statuses("ns", "l", 1) is None


async def test_draining_asks_every_pod(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1")
    await pods.start("l-gateway-1", "10.0.0.2")
    pods.publish(**{"l-gateway-0": "10.0.0.1", "l-gateway-1": "10.0.0.2"})
    await gateways.drain("ns", "l")
    assert sorted(pods.drained) == ["l-gateway-0", "l-gateway-1"]


async def test_a_pod_that_does_not_take_the_drain_is_asked_again_later(pods: Pods, gateways: GatewaysAdapter) -> None:
    await pods.start("l-gateway-0", "10.0.0.1")
    pods.publish(**{"l-gateway-0": "10.0.0.1"})
    await pods.servers["10.0.0.1"].close()
    with pytest.raises(Transient):
        await gateways.drain("ns", "l")


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert admin_url("p", "fd00::1") == "http://[fd00::1]:8082"
    assert admin_url("p", "10.0.0.1") == "http://10.0.0.1:8082"


async def test_what_a_starting_pod_waits_for_is_known_until_it_answers(pods: Pods, gateways: GatewaysAdapter) -> None:
    assert gateways.waiting("ns", "l") == ""
    error = {"code": "starting", "path": "$", "message": "a fresh volume needs object storage once"}
    await pods.start("l-gateway-0", "10.0.0.1")
    await pods.start("l-gateway-1", "10.0.0.2", status=503, body={"error": error})
    pods.publish(**{"l-gateway-0": "10.0.0.1", "l-gateway-1": "10.0.0.2"})
    assert await gateways.statuses("ns", "l", 2) is None
    assert gateways.waiting("ns", "l") == "a fresh volume needs object storage once"
    assert gateways.waiting("ns", "other") == ""
    await pods.start("l-gateway-1", "10.0.0.3")
    pods.publish(**{"l-gateway-0": "10.0.0.1", "l-gateway-1": "10.0.0.3"})
    assert await gateways.statuses("ns", "l", 2) is not None
    assert gateways.waiting("ns", "l") == ""
