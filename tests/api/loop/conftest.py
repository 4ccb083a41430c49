"""A real API server, the real loop controller in this process, and a world that the test moves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from tests.api.loop.world import Counted, LoopWorld, make_world
from tests.support.apiserver import ApiServer, api_server
from tests.support.clock import FakeClock


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server("loop-api", keep=bool(os.environ.get("FL_KEEP_CLUSTER"))) as server:
        yield server


@pytest.fixture
def namespace(server: ApiServer) -> str:
    return server.namespace()


@pytest.fixture
def counted() -> Counted:
    """Requests by verb, resource and code."""
    return Counted()


@pytest.fixture
async def world(server: ApiServer, namespace: str, counted: Counted) -> AsyncIterator[LoopWorld]:
    clock = FakeClock(datetime.now(UTC))  # deletion timestamps are the server's
    connection = await connect(str(server.kubeconfig))
    try:
        requests = Requests(connection, count=lambda *what: counted.update([what]))
        yield make_world(server, namespace, clock, requests, KubernetesAdapter(requests, now=clock.now), counted)
    finally:
        await connection.close()
