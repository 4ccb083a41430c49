"""The arms' endpoints: resolved each second, picked in turn, their first requests known as warm-up."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from feedbackloop.api.gateway import Arm, Backend, Routing

WARM_UP_REQUESTS = 5
REFRESH_SECONDS = 1.0
RESOLVE_FIRST_SECONDS = 0.5
CONNECT_SECONDS = 1.0
READ_SECONDS = 300.0

logger = logging.getLogger(__name__)

Resolve = Callable[[str], Awaitable[list[str] | None]]


async def resolve(host: str) -> list[str] | None:
    """The A records of a name, empty when it has none, None when the resolver does not answer."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return None if error.errno == socket.EAI_AGAIN else []
    return sorted({str(item[4][0]) for item in found})


def is_address(host: str) -> bool:
    """Whether a host is an IP address, which is used as it is."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def read(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The body, None when the server breaks it off, never ends it, or sends more than `limit` bytes."""
    parts, size = [], 0
    try:
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > limit:
                return None
    except (aiohttp.ClientError, TimeoutError):
        return None
    return b"".join(parts)


@dataclass
class Pool:
    """The ready pods of one arm."""

    backend: Backend
    addresses: list[str] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)
    turn: int = 0

    def update(self, addresses: list[str]) -> None:
        """Takes newly resolved addresses; one that comes back is a new pod and warms up again."""
        self.addresses = addresses
        self.served = {address: self.served.get(address, 0) for address in addresses}

    def in_turn(self) -> list[str]:
        """All addresses, beginning with the next one in turn."""
        if not self.addresses:
            return []
        self.turn = (self.turn + 1) % len(self.addresses)
        return self.addresses[self.turn :] + self.addresses[: self.turn]

    def answered(self, address: str) -> bool:
        """Counts an answered request; whether it was one of the pod's warm-up."""
        count = self.served.get(address, 0)
        if address in self.served:
            self.served[address] = count + 1
        return count < WARM_UP_REQUESTS


def arms(routing: Routing) -> dict[Arm, Backend]:
    """The arms that answer users."""
    return {Arm.STABLE: routing.stable} | ({Arm.CANARY: routing.canary} if routing.canary else {})


def shadows(routing: Routing) -> dict[Arm, Backend]:
    """The arm that is asked and not shown."""
    return {Arm.CANARY: routing.mirror.backend} if routing.mirror else {}


class Unreachable(Exception):  # noqa: N818
    """No endpoint of the arm could be connected to before the first byte."""


class Upstream:
    """Requests to the arms over kept-alive connections."""

    def __init__(self, resolver: Resolve = resolve, *, read_seconds: float = READ_SECONDS) -> None:
        self._resolve = resolver
        self._pools: dict[Arm, Pool] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=20),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=read_seconds),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

    async def close(self) -> None:
        await self._session.close()

    async def configure(self, wanted: Mapping[Arm, Backend]) -> None:
        """Takes the arms of a new configuration; pods of an unchanged arm stay warm."""
        pools = {}
        for arm, backend in wanted.items():
            old = self._pools.get(arm)
            same = old is not None and (old.backend.host, old.backend.port) == (backend.host, backend.port)
            pools[arm] = Pool(backend, old.addresses, old.served) if old is not None and same else Pool(backend)
        # Resolved before they are used: a new arm must not look unavailable only because nobody has asked yet.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._refresh_all(pools), RESOLVE_FIRST_SECONDS)
        self._pools = pools

    async def refresh(self) -> None:
        """Resolves all arms once; while the resolver is away the last answer stands."""
        await self._refresh_all(self._pools)

    async def _refresh_all(self, pools: dict[Arm, Pool]) -> None:
        await asyncio.gather(*(self._refresh(pool) for pool in pools.values()))

    async def _refresh(self, pool: Pool) -> None:
        host = pool.backend.host
        found = [host] if is_address(host) else await self._resolve(host)
        if found is not None:
            pool.update(found)

    async def keep_fresh(self) -> None:
        """Refreshes for ever."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except Exception as error:
                logger.error("endpoints: %s", type(error).__name__)

    def pool(self, arm: Arm) -> Pool | None:
        return self._pools.get(arm)

    async def request(
        self, arm: Arm, method: str, path: str, *, body: bytes | None, headers: dict[str, str]
    ) -> tuple[aiohttp.ClientResponse, str]:
        """The response (its first byte has come) and the pod's address. Raises Unreachable.

        A pod that cannot be connected to, or drops the connection before its first byte, is passed over
        for the next one; a kept connection that turns out closed is tried once more on a fresh one.
        """
        pool = self._pools.get(arm)
        addresses = pool.in_turn() if pool else []
        for address in addresses:
            for _ in range(2):
                try:
                    return await self._send(pool, address, method, path, body, headers), address  # type: ignore[arg-type]
                except (aiohttp.ServerDisconnectedError, ConnectionResetError, aiohttp.ClientOSError) as error:
                    if isinstance(error, aiohttp.ClientConnectorError):
                        break
                except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectionError):
                    break
        raise Unreachable

    async def _send(
        self, pool: Pool, address: str, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        where = f"[{address}]" if ":" in address else address
        return await self._session.request(
            method,
            f"http://{where}:{pool.backend.port}{path}",
            data=body,
            headers=headers,
            allow_redirects=False,
        )
