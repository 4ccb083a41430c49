"""Real API servers for the process of the operator, and a client to look at what it did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from feedbackloop.adapters.kubernetes import KubernetesAdapter
from tests.support.apiserver import ApiServer, api_server
from tests.support.operator import kubernetes_adapter


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server("engine-process") as server:
        yield server


@pytest.fixture
def namespace(server: ApiServer) -> str:
    return server.namespace()


@pytest.fixture
async def kubernetes(server: ApiServer) -> AsyncIterator[KubernetesAdapter]:
    async with kubernetes_adapter(server.kubeconfig) as adapter:
        yield adapter
