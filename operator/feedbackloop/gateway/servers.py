"""Three uvicorn servers in one process, without uvicorn's own signal handling and logs."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from typing import Any

import uvicorn

from feedbackloop.gateway.asgi import App

MAX_CONNECTIONS = 4096
RESERVED_FILES = 64
"""Open files besides connections: the log, object storage, the model servers."""
GRACE_SECONDS = 5


def most_connections() -> int:
    """How many connections a port may have, so that two full ports and their full queues leave files for the rest."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(MAX_CONNECTIONS, (min(soft, hard) - RESERVED_FILES) // 4))


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def config(
    app: App | object, *, host: str, port: int, protocol: type[asyncio.Protocol] | None = None
) -> uvicorn.Config:
    """How every port is served; the benchmark's baseline uses the same. `protocol` replaces uvicorn's own."""
    application: Any = app
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        http=protocol or "httptools",
        interface="asgi3",
        loop="none",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=min(2048, most_connections()),
        limit_concurrency=most_connections(),
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class Port:
    """One served port."""

    def __init__(
        self, app: App | object, *, host: str, port: int, protocol: type[asyncio.Protocol] | None = None
    ) -> None:
        self._server = _Server(config(app, host=host, port=port, protocol=protocol))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the port accepts connections. Raises SystemExit when it cannot be bound."""
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn sets a flag, no event
            await asyncio.sleep(0.005)
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Stops accepting, lets running requests end (for a while), then returns."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
