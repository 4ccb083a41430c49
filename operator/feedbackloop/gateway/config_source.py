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


class WatchEnded(Exception):  # noqa: N818
    """The server ended the watch with an ERROR event, such as 410."""


class ConfigMapSource:
    """One ConfigMap, by a watch with the pod's ServiceAccount (Kubernetes API concepts, "watch").

    No resource version is sent: each watch then begins with the object as it is now. The object's own version
    would not do, as it may be older than everything a restarted API server remembers, which answers 410 for ever.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = f"{settings.api_server}/api/v1/namespaces/{settings.namespace}/configmaps"
        self._trusted: tuple[bytes, ssl.SSLContext] | None = None

    async def run(self, deliver: Deliver) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=SILENCE_SECONDS)
        delay = FIRST_RETRY_SECONDS
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                try:
                    await self._watch(session, deliver)
                    delay = FIRST_RETRY_SECONDS
                except Exception as error:
                    logger.warning("configuration: %s; going on with the last one", type(error).__name__)
                    delay = min(delay * 2, LAST_RETRY_SECONDS)
                # Also after a watch that ended well: a server that ends each at once must not be asked in a circle.
                await asyncio.sleep(delay * random.uniform(0.7, 1.3))

    async def _watch(self, session: aiohttp.ClientSession, deliver: Deliver) -> None:
        """Follows the object, from its present state on, until the server ends the watch."""
        parameters = {
            "watch": "1",
            "fieldSelector": f"metadata.name={self._settings.config_name}",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async with session.get(self._url, params=parameters, **self._credentials()) as response:
            response.raise_for_status()
            pending = b""
            async for piece in response.content.iter_any():
                *lines, pending = (pending + piece).split(b"\n")
                for line in filter(bytes.strip, lines):
                    _event(line, deliver)

    def _credentials(self) -> dict[str, Any]:
        """The token is read anew each time, as the kubelet rotates it (at the latest each hour)."""
        folder = self._settings.service_account
        token = (folder / "token").read_text().strip()
        return {"headers": {"Authorization": f"Bearer {token}"}, "ssl": self._context(folder / "ca.crt")}

    def _context(self, authority: Path) -> ssl.SSLContext:
        """Made anew only with another CA: a context takes most of a megabyte, and connections are pooled by it."""
        found = authority.read_bytes()
        if self._trusted is None or self._trusted[0] != found:
            self._trusted = found, ssl.create_default_context(cadata=found.decode())
        return self._trusted[1]


def _event(line: bytes, deliver: Deliver) -> None:
    event: dict[str, Any] = msgspec.json.decode(line)
    if event["type"] == "ERROR":
        raise WatchEnded
    config = (event["object"].get("data") or {}).get(CONFIG_KEY)
    if event["type"] in ("ADDED", "MODIFIED") and isinstance(config, str):
        deliver(config.encode())


def source(settings: Settings) -> Source:
    """The source that the environment names."""
    return FileSource(settings.config_file) if settings.config_file else ConfigMapSource(settings)
