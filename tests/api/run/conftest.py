"""A world with a loop in it, on a real API server."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from feedbackloop.adapters.ports import Json
from tests.support.apiserver import ApiServer, api_server
from tests.support.fakeworld import scene
from tests.support.fakeworld.mirror import mirrored
from tests.support.fakeworld.world import Story, World

Make = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server("run-api", keep=bool(os.environ.get("FL_KEEP_CLUSTER"))) as server:
        yield server


@pytest.fixture
async def make(server: ApiServer) -> AsyncIterator[Make]:
    """Makes a world: `await make(story, loop=…)`."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(scene.connection(str(server.kubeconfig)))
        mirror = await stack.enter_async_context(mirrored(connection))

        async def made(story: Story | None = None, loop: Json | None = None) -> World:
            namespace = f"run-{uuid.uuid4().hex[:8]}"
            await scene.begin(connection, namespace, loop, mirror=mirror)
            return scene.new_world(connection, namespace, story, mirror=mirror)

        yield made
