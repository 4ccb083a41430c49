"""A real API server for the adapters, and one adapter on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from tests.support.apiserver import ApiServer, api_server

Counted = Counter[tuple[str, str, str]]


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server("engine-api") as server:
        yield server


@pytest.fixture
def namespace(server: ApiServer) -> str:
    return server.namespace()


@pytest.fixture
def counted() -> Counted:
    """Requests by verb, resource and code."""
    return Counter()


@pytest.fixture
async def kubernetes(server: ApiServer, counted: Counted) -> AsyncIterator[KubernetesAdapter]:
    connection = await connect(str(server.kubeconfig))
    try:
        yield KubernetesAdapter(Requests(connection, count=lambda *what: counted.update([what])), instance="test-0")
    finally:
        await connection.close()
