"""One request to the API server: raw JSON in and out, counted, bounded in time, errors in our own tree.

The official client is used below its models: building typed objects costs five times the CPU and
130 MB more, so paths come from `Kind` and bodies stay dictionaries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.failures import Answer, error, unreachable
from feedbackloop.adapters.kinds import Kind
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient

TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "apply": "PATCH",
    "patch": "PATCH",
    "update": "PUT",
    "delete": "DELETE",
}
READS = frozenset({"get", "list"})
CONTENT = {"apply": "application/apply-patch+yaml", "patch": "application/merge-patch+json"}

Count = Callable[[str, str, str], None]
"""Called with verb, resource and code after every request."""


@dataclass(frozen=True)
class Request:
    """What is asked of the API server."""

    verb: str
    kind: Kind
    namespace: str
    name: str | None = None
    subresource: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    accept: str = "application/json"

    @property
    def resource(self) -> str:
        group = f".{self.kind.group}" if self.kind.group else ""
        tail = f"/{self.subresource}" if self.subresource else ""
        return f"{self.kind.plural}{group}{tail}"

    @property
    def what(self) -> str:
        return f"{self.resource} {self.namespace}/{self.name or ''}".rstrip("/")


class Requests:
    """Sends requests over the connection."""

    def __init__(
        self, connection: Connection, *, count: Count | None = None, may_write: Callable[[], bool] | None = None
    ) -> None:
        self._client = connection.client
        self._count = count or (lambda verb, resource, code: None)
        self._may_write = may_write or (lambda: True)

    async def send(self, request: Request) -> dict[str, Any]:
        """The answer; raises the error that it is."""
        if request.verb not in READS and not self._may_write():
            # A process that was stopped and continued may act before its lease loop has run: fenced here.
            raise Transient(Reason.API_UNAVAILABLE, f"{request.verb} {request.what}: this process is not the leader")
        try:
            code, body, retry_after = await self._exchange(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as cause:
            self._count(request.verb, request.resource, "error")
            raise unreachable(request.verb, request.what, cause) from cause
        self._count(request.verb, request.resource, str(code))
        if not 200 <= code < 300:
            raise error(Answer(code, body, request.verb, request.what, retry_after))
        return _parse(request, body)

    async def _exchange(self, request: Request) -> tuple[int, bytes, float | None]:
        headers = {"Accept": request.accept, "Content-Type": CONTENT.get(request.verb, "application/json")}
        serialized = await self._client.param_serialize(
            METHODS[request.verb],
            request.kind.path(request.namespace, request.name, request.subresource),
            query_params=list(request.query.items()),
            header_params=headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )
        response = await self._client.call_api(*serialized, _request_timeout=TIMEOUT)
        body: bytes = await response.read()
        return int(response.status), body, _seconds(response.headers.get("Retry-After"))


def _parse(request: Request, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as cause:  # cut off by a proxy or a dying server
        raise unreachable(request.verb, request.what, cause) from cause
    return value if isinstance(value, dict) else {}


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
