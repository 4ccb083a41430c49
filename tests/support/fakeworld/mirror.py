"""A mirror of the API server: reads are answered from watches, so that hundreds of loops are lived through in minutes.

Writes go to the server, and their answers into the mirror, so that whoever writes reads his own write.
What others write arrives by the watches, a moment later.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.kinds import ALL, ENDPOINT_SLICE, EVENT, LEASE, REPLICA_SET, Kind, kind_of
from feedbackloop.adapters.ports import EventType, Finalizers, Json, KubernetesPort
from feedbackloop.adapters.requests import Request, Requests

KINDS = tuple(kind for kind in ALL if kind not in (EVENT, LEASE, ENDPOINT_SLICE, REPLICA_SET))
LINE_LIMIT = 2**22
ENDLESS = aiohttp.ClientTimeout(total=None)
_NO_LABELS: Mapping[str, str] = {}


class Mirror:
    """Objects that were made since the mirror was opened, in all namespaces."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], dict[str, Json]] = {}
        """By kind and namespace, by name."""
        self._gone: set[str] = set()

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        found = self._objects.get((kind.plural, namespace), {}).get(name)
        return None if found is None else _copy(found)

    def list(self, kind: Kind, namespace: str, labels: Mapping[str, str]) -> list[Json]:
        found = self._objects.get((kind.plural, namespace), {})
        return [_copy(body) for _, body in sorted(found.items()) if _carries(body, labels)]

    def put(self, body: Json) -> None:
        """An object as the server has it; an older version than the known one is ignored."""
        metadata = body["metadata"]
        metadata.pop("managedFields", None)
        names = self._objects.setdefault((kind_of(body).plural, metadata["namespace"]), {})
        known = names.get(metadata["name"])
        if metadata["uid"] not in self._gone and (known is None or _version(known) < _version(body)):
            names[metadata["name"]] = body

    def drop(self, kind: Kind, namespace: str, name: str, uid: str | None = None) -> None:
        """An object is gone, and no late news of it brings it back."""
        names = self._objects.get((kind.plural, namespace), {})
        known = names.get(name)
        if known is not None and uid in (None, known["metadata"]["uid"]):
            self._gone.add(names.pop(name)["metadata"]["uid"])
        if uid is not None:
            self._gone.add(uid)


class MirroredKubernetes:
    """`KubernetesPort` that reads from the mirror and writes through it."""

    def __init__(self, inner: KubernetesPort, mirror: Mirror) -> None:
        self._inner = inner
        self._mirror = mirror

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return self._mirror.get(kind, namespace, name)

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] = _NO_LABELS) -> list[Json]:
        return self._mirror.list(kind, namespace, labels)

    async def apply(
        self, body: Json, *, force: bool = True, dry_run: bool = False, subresource: str | None = None
    ) -> Json:
        made = await self._inner.apply(body, force=force, dry_run=dry_run, subresource=subresource)
        if not dry_run:
            self._mirror.put(_copy(made))
        return made

    async def create(self, body: Json) -> Json | None:
        made = await self._inner.create(body)
        if made is not None:
            self._mirror.put(_copy(made))
        return made

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        await self._inner.delete(kind, namespace, name, uid=uid)
        self._mirror.drop(kind, namespace, name, uid)

    async def set_finalizers(self, kind: Kind, body: Json, finalizers: Finalizers) -> Json:
        made = await self._inner.set_finalizers(kind, body, finalizers)
        self._mirror.put(_copy(made))
        return made

    async def event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> None:
        await self._inner.event(regarding, type_=type_, reason=reason, action=action, note=note)


@asynccontextmanager
async def mirrored(connection: Connection) -> AsyncIterator[Mirror]:
    """A mirror of everything that happens from now on."""
    mirror = Mirror()
    starts = [await _version_now(connection, kind) for kind in KINDS]
    watches = [
        asyncio.create_task(_follow(connection, mirror, kind, start)) for kind, start in zip(KINDS, starts, strict=True)
    ]
    try:
        yield mirror
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


async def _version_now(connection: Connection, kind: Kind) -> str:
    answer = await Requests(connection).send(Request("list", kind, "", query={"limit": "1"}))
    return str(answer["metadata"]["resourceVersion"])


async def _follow(connection: Connection, mirror: Mirror, kind: Kind, version: str) -> None:
    while True:  # the server ends a watch now and then
        query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        session, url = connection.client.rest_client.pool_manager, f"{connection.configuration.host}{kind.path()}"
        async with session.get(url, params=query, read_bufsize=LINE_LIMIT, timeout=ENDLESS) as answer:
            async for line in answer.content:
                news = json.loads(line)
                version = _heard(mirror, kind, news["type"], news["object"])


def _heard(mirror: Mirror, kind: Kind, what: str, body: Json) -> str:
    metadata = body["metadata"]
    if what in ("ADDED", "MODIFIED"):
        mirror.put(body)
    elif what == "DELETED":
        mirror.drop(kind, metadata["namespace"], metadata["name"], metadata["uid"])
    return str(metadata["resourceVersion"])


def _copy(body: Json) -> Json:
    copied: Json = json.loads(json.dumps(body))
    return copied


def _version(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])


def _carries(body: Json, labels: Mapping[str, str]) -> bool:
    return labels.items() <= (body["metadata"].get("labels") or {}).items()
