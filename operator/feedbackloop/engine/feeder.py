"""Kopf, as a feeder only: its watches put keys into our queue. The one module that imports Kopf.

No finalizers, annotations, patches, events or progress of Kopf's: only `on.event` handlers, which
can do nothing but enqueue. Kopf runs in a thread with an event loop of its own, because when it
ends it cancels every task of its loop that it did not find at its start, ours included.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import kopf

from feedbackloop.engine.watch import Owner, Seen, Watch

LOGIN_INTERVAL = 2.0
_log = logging.getLogger("feedbackloop.watch")

Saw = Callable[[Watch, Seen, str, bool], None]
"""Called in our loop with the watch, the object, its resourceVersion, and whether it was deleted."""


class Login(Protocol):
    """Credentials, as our own client has them."""

    @property
    def server(self) -> str: ...
    @property
    def ca_path(self) -> str | None: ...
    @property
    def insecure(self) -> bool: ...
    @property
    def scheme(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...
    @property
    def certificate_path(self) -> str | None: ...
    @property
    def private_key_path(self) -> str | None: ...


class Feeder:
    """Watches one namespace until it is cancelled; ends with an error when Kopf does (the process shall restart)."""

    def __init__(
        self, watches: Sequence[Watch], namespace: str, login: Callable[[], Awaitable[Login]], saw: Saw
    ) -> None:
        self._watches = watches
        self._namespace = namespace
        self._login = login
        self._saw = saw
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._ready = threading.Event()

    @property
    def started(self) -> bool:
        return self._ready.is_set()

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(target=self._thread, args=(ended,), name="kopf", daemon=True)
        thread.start()
        try:
            await ended
        finally:
            self._stop.set()

    def _thread(self, ended: asyncio.Future[None]) -> None:
        try:
            asyncio.run(self._kopf())
            error: BaseException = RuntimeError("Kopf has ended")
        except BaseException as cause:
            error = cause
        self._call(_fail, ended, error)

    async def _kopf(self) -> None:
        registry = kopf.OperatorRegistry()
        self._register(registry)
        await kopf.operator(
            registry=registry,
            settings=settings(self._watches),
            standalone=True,
            namespaces=[self._namespace],
            stop_flag=self._stop,
            ready_flag=self._ready,
        )

    def _register(self, registry: Any) -> None:
        kopf.on.login(registry=registry)(_Relogin(self._from_main_loop).login)
        for number, watch in enumerate(self._watches):
            kopf.on.event(
                group=watch.group,
                version=watch.version,
                plural=watch.plural,
                labels={key: kopf.PRESENT if value is None else value for key, value in watch.labels.items()},
                id=f"{watch.resource}-{number}",
                registry=registry,
            )(self._handler(watch))

    def _handler(self, watch: Watch) -> Callable[..., Awaitable[None]]:
        async def enqueue(*, event: Mapping[str, Any], **_: Any) -> None:
            metadata = event["object"]["metadata"]
            seen = seen_of(watch.kind, metadata)
            self._call(self._saw, watch, seen, str(metadata.get("resourceVersion")), event["type"] == "DELETED")

        return enqueue

    async def _from_main_loop(self) -> Login:
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(_awaited(self._login()), self._loop)
        return await asyncio.wrap_future(future)

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)


class _Relogin:
    """Kopf asks again after a 401, and takes credentials for good only when they differ from the refused ones."""

    def __init__(self, login: Callable[[], Awaitable[Login]]) -> None:
        self._login = login
        self._last = 0.0

    async def login(self, **_: Any) -> Any:
        # A starting API server may refuse a good token: the expiry makes the same token another
        # credential to Kopf, and the interval keeps a bad one from spinning.
        await asyncio.sleep(max(0.0, self._last + LOGIN_INTERVAL - time.monotonic()))
        self._last = time.monotonic()
        found = await self._login()
        return kopf.ConnectionInfo(
            server=found.server,
            ca_path=found.ca_path,
            insecure=found.insecure,
            scheme=found.scheme,
            token=found.token,
            certificate_path=found.certificate_path,
            private_key_path=found.private_key_path,
            expiration=datetime.now(UTC) + timedelta(days=1),
        )


def settings(watches: Sequence[Watch]) -> Any:
    """Everything that Kopf would do beyond watching is off; no wait is without an end."""
    chosen = kopf.OperatorSettings()
    chosen.peering.standalone = True
    chosen.scanning.disabled = True
    chosen.posting.enabled = False
    chosen.process.ultimate_exiting_timeout = 20
    chosen.queueing.idle_timeout = 1
    chosen.networking.request_timeout = 15
    chosen.networking.connect_timeout = 5
    chosen.networking.error_backoffs = (0.5, 1, 2, 3, 5)
    chosen.watching.server_timeout = 240
    chosen.watching.client_timeout = 270
    chosen.watching.connect_timeout = 10
    chosen.watching.inactivity_timeout = 70
    chosen.watching.chunk_size = 500
    chosen.watching.reconnect_backoff = 0.5
    for resource, selector in selectors(watches).items():
        chosen.watching.label_selectors[resource] = selector
    return chosen


def selectors(watches: Sequence[Watch]) -> dict[tuple[str, str, str], str]:
    """The server-side selectors: Kopf has one stream a resource, so watches of one that differ get none."""
    texts: dict[tuple[str, str, str], set[str]] = {}
    for watch in watches:
        text = ",".join(k if v is None else f"{k}={v}" for k, v in sorted(watch.labels.items()))
        texts.setdefault((watch.group, watch.version, watch.plural), set()).add(text)
    return {resource: next(iter(found)) for resource, found in texts.items() if len(found) == 1 and "" not in found}


def seen_of(kind: str, metadata: Mapping[str, Any]) -> Seen:
    """An object's metadata, reduced."""
    return Seen(
        kind=kind,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        labels=dict(metadata.get("labels") or {}),
        owners=tuple(Owner(str(o["kind"]), str(o["name"])) for o in metadata.get("ownerReferences") or ()),
    )


async def _awaited(result: Awaitable[Login]) -> Login:
    return await result


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
