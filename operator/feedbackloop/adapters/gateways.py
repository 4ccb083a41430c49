"""`GatewaysPort`: asks every gateway pod of a loop on its admin port.

Pods are found through the EndpointSlices of the headless Service (which publishes unready pods
too). Their addresses are remembered, so polling costs no API request while every pod answers; an
address is believed only while the pod that answers there says its own name.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import aiohttp
from pydantic import ValidationError

from feedbackloop.adapters.kinds import ENDPOINT_SLICE
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import ADMIN_PORT, GatewayStatus
from feedbackloop.domain.errors import Transient

TIMEOUT = aiohttp.ClientTimeout(total=2)
_log = logging.getLogger("feedbackloop.gateways")

UrlOf = Callable[[str, str], str]
"""From a pod's name and address to the base URL of its admin port."""


def admin_url(pod: str, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{ADMIN_PORT}"


class GatewaysAdapter:
    """Addresses by loop, and one HTTP session."""

    def __init__(self, kubernetes: KubernetesPort, *, url_of: UrlOf = admin_url) -> None:
        self._kubernetes = kubernetes
        self._url_of = url_of
        self._session: aiohttp.ClientSession | None = None
        self._addresses: dict[tuple[str, str], dict[str, str]] = {}
        self._waits: dict[str, str] = {}
        """By address: what a pod that is not ready waits for."""

    async def statuses(self, namespace: str, loop: str, expected: int) -> tuple[GatewayStatus, ...] | None:
        known = self._addresses.get((namespace, loop))
        if known is not None and len(known) == expected:
            found = await self._ask_all(known)
            if found is not None:
                return found
        found = await self._ask_all(await self._find(namespace, loop))
        return found if found is not None and len(found) == expected else None

    def waiting(self, namespace: str, loop: str) -> str:
        pods = self._addresses.get((namespace, loop), {})
        said = (self._waits.get(address, "") for _, address in sorted(pods.items()))
        return next((text for text in said if text), "")

    async def drain(self, namespace: str, loop: str) -> None:
        pods = await self._find(namespace, loop)
        done = await asyncio.gather(*(self._drain(pod, address) for pod, address in pods.items()))
        if not all(done):
            raise Transient(Reason.GATEWAY_UNAVAILABLE, f"a gateway pod of {namespace}/{loop} did not take the drain")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _find(self, namespace: str, loop: str) -> dict[str, str]:
        labels = {"kubernetes.io/service-name": f"{loop}-gateway-pods"}
        slices = await self._kubernetes.list(ENDPOINT_SLICE, namespace, labels=labels)
        pods = {pod: address for s in slices for pod, address in _addresses(s)}
        for gone in set(self._addresses.get((namespace, loop), {}).values()) - set(pods.values()):
            self._waits.pop(gone, None)
        self._addresses[(namespace, loop)] = pods
        return pods

    async def _ask_all(self, pods: dict[str, str]) -> tuple[GatewayStatus, ...] | None:
        """What all of them say; None when one does not answer as itself."""
        answers = await asyncio.gather(*(self._ask(pod, address) for pod, address in sorted(pods.items())))
        found = [a for a in answers if a is not None]
        return tuple(found) if len(found) == len(pods) else None

    async def _ask(self, pod: str, address: str) -> GatewayStatus | None:
        try:
            async with self._open().get(f"{self._url_of(pod, address)}/status") as answer:
                self._waits[address] = _waits(await answer.read()) if answer.status == 503 else ""
                if answer.status != 200:
                    return None
                status = GatewayStatus.model_validate_json(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValidationError) as cause:
            _log.debug("no-status pod=%s error=%s", pod, type(cause).__name__)
            return None
        return status if status.pod == pod else None

    async def _drain(self, pod: str, address: str) -> bool:
        try:
            async with self._open().post(f"{self._url_of(pod, address)}/drain") as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def _waits(body: bytes) -> str:
    """The message of a gateway's 503, shortened; it is one of ours, never of a client's."""
    try:
        return str(json.loads(body)["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return ""


def _addresses(endpoint_slice: Json) -> list[tuple[str, str]]:
    found = []
    for endpoint in endpoint_slice.get("endpoints") or []:
        target = endpoint.get("targetRef") or {}
        if target.get("kind") == "Pod" and endpoint.get("addresses"):
            found.append((str(target["name"]), str(endpoint["addresses"][0])))
    return found
