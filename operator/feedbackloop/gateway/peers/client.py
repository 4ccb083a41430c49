"""Speaking to the other pods: pooled connections, bounded waits, and no waiting for a pod that was just away."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from feedbackloop.gateway.peers.seal import HEADER, NotAPeer, PeerSeal

CONNECT_SECONDS, TOTAL_SECONDS = 1.0, 10.0
AWAY_SECONDS = 0.5
"""A pod that did not answer is not asked again for this long."""
PATH = "/v1/peer/"
_DNS_SECONDS = 2


class PeerAway(Exception):  # noqa: N818
    """The owner cannot be reached, or takes nothing now. What was sent may have arrived: repeat it with its ids."""


class PeerClient:
    """One HTTP session to all pods; addresses by ordinal."""

    def __init__(self, seal: PeerSeal) -> None:
        self._seal = seal
        self._addresses: tuple[str, ...] = ()
        self._away: dict[int, float] = {}
        self._session: aiohttp.ClientSession | None = None

    def configure(self, addresses: tuple[str, ...]) -> None:
        if addresses != self._addresses:
            self._addresses, self._away = addresses, {}

    async def ask(self, ordinal: int, what: str, plain: bytes) -> bytes:
        """The pod's answer. Raises PeerAway."""
        if self._away.get(ordinal, 0.0) > time.monotonic():
            raise PeerAway("it did not answer a moment ago")
        sealed = self._seal.seal(plain, to=ordinal, what=what)
        try:
            answer = await self._twice(ordinal, what, sealed)
            return self._seal.open(answer, to=ordinal, what=f"{what}/answer")
        except NotAPeer:
            raise PeerAway("its answer is not sealed by this loop") from None

    async def _twice(self, ordinal: int, what: str, sealed: bytes) -> bytes:
        """Once more when a kept connection turns out to be closed; the receiver knows repetitions."""
        try:
            return await self._once(ordinal, what, sealed)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError):
            pass
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._gone(ordinal, error) from None
        try:
            return await self._once(ordinal, what, sealed)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._gone(ordinal, error) from None

    def _gone(self, ordinal: int, error: BaseException) -> PeerAway:
        self._away[ordinal] = time.monotonic() + AWAY_SECONDS
        return PeerAway(type(error).__name__)

    async def _once(self, ordinal: int, what: str, sealed: bytes) -> bytes:
        headers = {HEADER.decode(): self._seal.header(to=ordinal, what=what, length=len(sealed))}
        url = f"http://{self._addresses[ordinal]}{PATH}{what}"
        async with self._open().post(url, data=sealed, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise PeerAway(f"it answered {answer.status}")
            return body

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(limit=256, limit_per_host=64, ttl_dns_cache=_DNS_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)
