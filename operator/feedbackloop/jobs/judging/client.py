"""Chat completions of an OpenAI-compatible server: bounded, patient, and silent about texts."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from feedbackloop.jobs.errors import InvalidSpec, Preempted, StorageUnavailable

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 60.0
LARGEST_ANSWER = 256 * 1024
"""Bytes that are read of an answer."""
MOST_TOKENS = 64
ATTEMPTS = 6
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 16.0
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""
NOT_THIS = frozenset({400, 413, 422})
"""Answers that are about this request alone, such as one that is too long: there is no verdict then."""
Message = Mapping[str, str]


class _AgainError(Exception):
    """The same request may succeed later; `after` seconds when the server says so."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


@dataclass
class Client:
    """One model of one server. May be used by several threads at a time."""

    url: str
    """Up to the version, such as `http://judge.ml:8000/v1`; without a path it is `/v1`."""
    model: str
    token: str = field(default="", repr=False)
    stop: threading.Event = field(default_factory=threading.Event)
    """Ends waiting."""
    first_seconds: float = FIRST_SECONDS

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidSpec("judge.url: must be http:// or https:// and a host; correct the admin's endpoint")
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/') or '/v1'}/chat/completions"

    def ask(self, messages: Sequence[Message]) -> str:
        """The model's answer; empty when it gave none, or does not take this request.

        Raises StorageUnavailable when the server is away after several attempts (the stage waits and is tried again),
        InvalidSpec when it refuses us, Preempted when the job is to stop.
        """
        body = json.dumps(self._request(messages)).encode()
        delay, why = self.first_seconds, ""
        for attempt in range(ATTEMPTS):
            if attempt and self.stop.wait(delay):
                raise Preempted("SIGTERM while waiting for the judge")
            try:
                return _content(self._post(body))
            except _AgainError as again:
                why, delay = str(again), min(max(2 * delay, again.after), LONGEST_SECONDS)
        raise StorageUnavailable(f"judge {self._host}: {why}, {ATTEMPTS} times")

    def _request(self, messages: Sequence[Message]) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            "response_format": {"type": "json_object"},
        }

    def _post(self, body: bytes) -> bytes:
        connection = self._connection()
        try:
            connection.request("POST", self._path, body, self._headers())
            # Redirects are not followed: the token is for this server.
            response = connection.getresponse()
            data = response.read(LARGEST_ANSWER + 1)
        except (OSError, HTTPException) as error:
            raise _AgainError(type(error).__name__) from None
        finally:
            connection.close()
        if response.status in NOT_THIS:
            log.warning("judge %s answered %d: one request without a verdict", self._host, response.status)
            return b""
        _check(response.status, response.getheader("Retry-After", ""))
        if len(data) > LARGEST_ANSWER:
            raise InvalidSpec(f"judge {self._host}: its answer is longer than {LARGEST_ANSWER} bytes")
        return data

    def _connection(self) -> HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        return HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


def _check(status: int, retry_after: str) -> None:
    if status in AGAIN:
        raise _AgainError(f"it answered {status}", float(retry_after) if retry_after.isdigit() else 0.0)
    if status in (401, 403):
        raise InvalidSpec(f"judge: the server answered {status}; correct the token in judge.tokenSecretName")
    if status == 404:
        raise InvalidSpec("judge: the server answered 404; correct judge.model, or the endpoint's URL (up to /v1)")
    if status != 200:
        raise InvalidSpec(f"judge: the server answered {status}; it must take chat completions with JSON answers")


def _content(data: bytes) -> str:
    """The text of the first choice. An answer that is no chat completion is an empty one."""
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return content if isinstance(content, str) else ""


Ask = Callable[[Sequence[Message]], str]
