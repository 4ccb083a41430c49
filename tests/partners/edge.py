"""One HTTPRoute of a team on a real Gateway, and the provider that writes its named rule as the operator does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from feedbackloop.adapters.traffic import read_router
from feedbackloop.api.gateway import Backend, LoopRef, Routing
from feedbackloop.api.rollout.routing import GatewayApi, TrafficRouting
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.errors import Conflict
from feedbackloop.domain.traffic import RouterSeen, Standing, judge, may_write, provider_seen, provider_status
from feedbackloop.domain.traffic.provider import Provider, provider
from tests.cluster.partners.contour import GATEWAY, NAMESPACE, Contour, host_address
from tests.partners.servers import HOST, Client
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
LOOP, PORT = "bot", 8000
DECLARED = TrafficRouting(gateway_api=GatewayApi(http_route_name="support", rule_name="chat"))
IDLE = Routing(stable=Backend(host="", port=PORT, digest=""))
WITHIN_SECONDS = 30.0


def routing(epoch: int, weight: int) -> Routing:
    return Routing(
        run_uid="run", epoch=epoch, weight=weight, salt="5a17", stable=Backend(host="", port=PORT, digest="")
    )


def arm_objects(name: str, port: int) -> list[Json]:
    """A headless Service without a selector and the address of a server of this process: no kubelet runs here."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": PORT, "targetPort": port}]},
    }
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-here", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [host_address()], "conditions": {"ready": True}}],
    }
    return [service, slice_]


def route(*, host: str = HOST) -> Json:
    """As a team would write it: the named rule between two others."""

    def rule(name: str, path: str) -> Json:
        match = {"path": {"type": "PathPrefix", "value": path}}
        return {"name": name, "matches": [match], "backendRefs": [{"name": "support", "port": PORT}]}

    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "support"},
        "spec": {
            "parentRefs": [{"name": GATEWAY, "namespace": NAMESPACE}],
            "hostnames": [host],
            "rules": [rule("files", "/v1/files"), rule("chat", "/v1/chat"), rule("health", "/healthz")],
        },
    }


@dataclass
class Edge:
    """The team's namespace, and what the operator would do in it."""

    server: ApiServer
    contour: Contour
    namespace: str
    kubernetes: KubernetesAdapter
    status: ProviderStatus | None = None

    @property
    def client(self) -> Client:
        return Client(self.contour.address, self.contour.port)

    async def provider(self) -> Provider:
        read = await read_router(self.kubernetes, self.namespace, DECLARED)
        assert read is not None
        return provider(DECLARED, LoopRef(namespace=self.namespace, name=LOOP, uid="uid"), read)

    async def seen(self, wanted: Routing) -> RouterSeen:
        before = self.status is not None and self.status.accepted
        found = (await self.provider()).seen(wanted, written_before=before)
        assert found is not None
        return found

    async def look(self, wanted: Routing) -> RouterSeen:
        """One look as the controllers take it: judged, kept in status, and written when that is due and allowed."""
        seen = await self.seen(wanted)
        self.status = provider_status(provider_seen(seen, epoch=wanted.epoch, weight=wanted.weight), self.status)
        if may_write(seen, self.status, datetime.now(UTC), taking_back=wanted.weight == 0):
            for body in (await self.provider()).desired(wanted):
                try:
                    await self.kubernetes.apply(body)
                except Conflict:  # somebody wrote in between: the next look reads again
                    break
        return seen

    async def until_in_force(self, wanted: Routing) -> None:
        """Looks until the router has accepted it."""

        async def accepted() -> bool:
            return judge(await self.look(wanted), wanted.weight).standing is Standing.ACCEPTED

        await until(accepted, f"the router to accept weight {wanted.weight}")

    async def until_released(self) -> None:
        """Looks until the route is as it was before us."""
        await self.until_in_force(IDLE)

    async def until_served(self, who: str, path: str = "/v1/chat") -> None:
        """Until the data plane answers so: its configuration follows the status a moment later."""
        client = self.client

        async def served() -> bool:
            return await asyncio.to_thread(client.ask, path) == who

        await until(served, f"{path} to be answered by {who}")

    def other_writes(self, manager: str, body: Json) -> None:
        """Another writer applies its own idea of the whole route, with force."""
        words = ("apply", "-n", self.namespace, "--server-side", "--force-conflicts", f"--field-manager={manager}")
        self.server.kubectl(*words, "-f", "-", stdin=_json(body))

    def rules(self) -> list[Json]:
        body = self.server.kubectl("get", "httproute", "support", "-n", self.namespace, "-o", "json")
        found: list[Json] = _parsed(body)["spec"]["rules"]
        return found


async def until(done: Callable[[], Awaitable[bool]], what: str, *, within: float = WITHIN_SECONDS) -> None:
    """Ask ten times a second until it is so."""
    deadline = time.monotonic() + within
    while not await done():
        assert time.monotonic() < deadline, f"waited {within:.0f} s for {what}"
        await asyncio.sleep(0.1)


@asynccontextmanager
async def edge(server: ApiServer, contour: Contour, ports: dict[str, int]) -> AsyncIterator[Edge]:
    """A fresh namespace whose route the Gateway serves."""
    namespace = server.namespace()
    objects = [*arm_objects("support", ports["stable"]), *arm_objects(f"{LOOP}-stable", ports["stable"])]
    objects += [*arm_objects(f"{LOOP}-canary", ports["canary"]), route()]
    server.kubectl(
        "apply", "-n", namespace, "-f", "-", stdin=_json({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    connection = await connect(str(server.kubeconfig))
    try:
        made = Edge(server, contour, namespace, KubernetesAdapter(Requests(connection)))
        await made.until_served("stable")
        yield made
    finally:
        await connection.close()
        server.kubectl("delete", "httproute", "--all", "-n", namespace)


def _json(body: Json) -> str:
    return json.dumps(body)


def _parsed(text: str) -> Json:
    found: Json = json.loads(text)
    return found
