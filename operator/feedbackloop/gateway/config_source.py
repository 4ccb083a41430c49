"""Where the configuration comes from: exactly one ConfigMap by a plain HTTP watch, or a file.

A source runs for ever and hands every configuration it sees (also unchanged ones) to `deliver`. While
the API server is away nothing is delivered, and the gateway goes on with what it has.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec

from feedbackloop.api.gateway import CONFIG_KEY
from feedbackloop.gateway.settings import Settings

Deliver = Callable[[bytes], None]

WATCH_SECONDS = 240
# Bookmarks come about once a minute: a watch that is silent for longer has lost its server.
SILENCE_SECONDS = 100.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.2, 2.0
POLL_SECONDS = 0.05

logger = logging.getLogger(__name__)


class Source(Protocol):
    """A place that configurations come from."""

    async def run(self, deliver: Deliver) -> None: ...


class FileSource:
    """A file, read again when its modification time changes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def run(self, deliver: Deliver) -> None:
        seen = None
        while True:
            try:
                changed = self._path.stat().st_mtime_ns
                if changed != seen:
                    deliver(self._path.read_bytes())
                    seen = changed
            except OSError:
                pass
            await asyncio.sleep(POLL_SECONDS)


class Gone(Exception):  # noqa: N818
    """The watch's version is too old (410): read the object again."""


class ConfigMapSource:
    """One ConfigMap, by `get` and `watch` with the pod's ServiceAccount (Kubernetes API concepts, "watch")."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = f"{settings.api_server}/api/v1/namespaces/{settings.namespace}/configmaps"

    async def run(self, deliver: Deliver) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=SILENCE_SECONDS)
        delay = FIRST_RETRY_SECONDS
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                try:
                    version = await self._get(session, deliver)
                    delay = FIRST_RETRY_SECONDS
                    await self._watch(session, version, deliver)
                    continue
                except Gone:
                    continue
                except Exception as error:
                    logger.warning("configuration: %s; going on with the last one", type(error).__name__)
                await asyncio.sleep(delay * random.uniform(0.7, 1.3))
                delay = min(delay * 2, LAST_RETRY_SECONDS)

    async def _get(self, session: aiohttp.ClientSession, deliver: Deliver) -> str:
        async with session.get(f"{self._base}/{self._settings.config_name}", **self._credentials()) as response:
            response.raise_for_status()
            return self._take(await response.read(), deliver)

    async def _watch(self, session: aiohttp.ClientSession, version: str, deliver: Deliver) -> None:
        """Follows the object until the server ends the watch; resumes from the last version by itself."""
        while True:
            parameters = {
                "watch": "1",
                "fieldSelector": f"metadata.name={self._settings.config_name}",
                "resourceVersion": version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(WATCH_SECONDS),
            }
            async with session.get(self._base, params=parameters, **self._credentials()) as response:
                if response.status == 410:
                    raise Gone
                response.raise_for_status()
                version = await self._follow(response, version, deliver)
            # A server that ends every watch at once must not be asked in a circle.
            await asyncio.sleep(FIRST_RETRY_SECONDS)

    async def _follow(self, response: aiohttp.ClientResponse, version: str, deliver: Deliver) -> str:
        pending = b""
        async for piece in response.content.iter_any():
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                if line.strip():
                    version = self._event(line, version, deliver)
        return version

    def _event(self, line: bytes, version: str, deliver: Deliver) -> str:
        event: dict[str, Any] = msgspec.json.decode(line)
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise Gone
        if kind in ("ADDED", "MODIFIED"):
            _deliver(item, deliver)
        return str(item.get("metadata", {}).get("resourceVersion") or version)

    @staticmethod
    def _take(body: bytes, deliver: Deliver) -> str:
        item: dict[str, Any] = msgspec.json.decode(body)
        _deliver(item, deliver)
        return str(item["metadata"]["resourceVersion"])

    def _credentials(self) -> dict[str, Any]:
        """Read anew each time: the kubelet rotates the token (at the latest each hour) and the CA."""
        folder = self._settings.service_account
        token = (folder / "token").read_text().strip()
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        return {"headers": {"Authorization": f"Bearer {token}"}, "ssl": context}


def _deliver(item: dict[str, Any], deliver: Deliver) -> None:
    config = (item.get("data") or {}).get(CONFIG_KEY)
    if isinstance(config, str):
        deliver(config.encode())


def source(settings: Settings) -> Source:
    """The source that the environment names."""
    return FileSource(settings.config_file) if settings.config_file else ConfigMapSource(settings)
