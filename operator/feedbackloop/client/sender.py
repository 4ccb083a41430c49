"""Requests to a gateway, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from feedbackloop.client.errors import Refused, Unavailable
from feedbackloop.client.events import chunks
from feedbackloop.client.signals import PATH as SIGNALS
from feedbackloop.client.transport import Reply, Transport

MAX_EVENTS, MAX_BYTES = 50, 200_000


class Rejection(NamedTuple):
    """One event that the gateway keeps as a bad row instead of storing it."""

    event_id: str
    code: str
    path: str
    message: str
    bad_row_id: str


@dataclass
class Result:
    """What became of events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.rejected += other.rejected


class Sender:
    """A gateway's port with a token for it."""

    def __init__(self, transport: Transport, token: str, *, within: float, channel: str = "") -> None:
        self._transport, self._within = transport, within
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if channel:
            self._headers["X-Feedback-Channel"] = channel

    def events(self, events: Iterable[Mapping[str, Any]], within: float | None = None) -> Result:
        """Sends events in as few requests as its limits allow. Raises Refused (nothing of a request), Unavailable."""
        total = Result()
        for part in chunks([dict(event) for event in events], _encode, MAX_EVENTS, MAX_BYTES):
            reply = self._post("/v1/feedback", b'{"events":[' + b",".join(part) + b"]}", within)
            total.add(_result(reply))
        return total

    def interaction(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Posts an interaction; the answer with its tokens. Raises Refused, Unavailable."""
        return _taken(self._post("/v1/interactions", _encode(body)))

    def signals(self) -> bytes:
        """The registry of the loop's signals. Raises Refused, Unavailable."""
        reply = self._transport.request("GET", SIGNALS, self._headers, None, self._within)
        return reply.body if reply.status == 200 else _encode(_taken(reply))

    def get(self, path: str) -> dict[str, Any]:
        """Any JSON object of this port. Raises Refused, Unavailable."""
        return _taken(self._transport.request("GET", path, self._headers, None, self._within))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Posts JSON and gives the answer. Raises Refused, Unavailable."""
        return _taken(self._post(path, _encode(body)))

    def close(self) -> None:
        self._transport.close()

    def _post(self, path: str, body: bytes, within: float | None = None) -> Reply:
        return self._transport.request("POST", path, self._headers, body, self._within if within is None else within)


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _object(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(f"status {reply.status} with a body that is no JSON object: is the url a gateway's?")
    return found


def _taken(reply: Reply) -> dict[str, Any]:
    found = _object(reply)
    if reply.status >= 300:
        raise _refused(reply.status, found)
    return found


def _result(reply: Reply) -> Result:
    found = _object(reply)
    if "rejected" not in found:
        raise _refused(reply.status, found)
    rejected = [Rejection(*(str(item.get(name) or "") for name in Rejection._fields)) for item in found["rejected"]]
    return Result(int(found.get("accepted", 0)), int(found.get("duplicate", 0)), rejected)


def _refused(status: int, found: Mapping[str, Any]) -> Refused:
    error = found.get("error")
    told = error if isinstance(error, dict) else {}
    code, path = str(told.get("code", status)), str(told.get("path", "$"))
    return Refused(code, path, str(told.get("message", f"status {status}")), status)
