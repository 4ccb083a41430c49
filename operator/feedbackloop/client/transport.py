"""HTTP by the standard library: kept connections, and retries that are bounded in time."""

from __future__ import annotations

import http.client
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from feedbackloop.client.errors import FeedbackError, Unavailable

RETRIED = frozenset({429, 502, 503, 504})
FIRST_PAUSE, LAST_PAUSE = 0.2, 5.0
_BROKEN = (OSError, http.client.HTTPException)


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Requests to one server, by any number of threads."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 5.0,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FeedbackError("url: must be http://host[:port] or https://host[:port]")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._base, self._timeout, self._wait, self._clock = parts.path.rstrip("/"), timeout, wait, clock
        self._idle: list[http.client.HTTPConnection] = []
        self._lock, self._pid = threading.Lock(), os.getpid()

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, within: float) -> Reply:
        """The first answer that is none of `RETRIED`; it is tried again for `within` seconds. Raises Unavailable."""
        end, pause = self._clock() + within, FIRST_PAUSE
        while True:
            reply, why = self._attempt(method, path, headers, body)
            if reply is not None and reply.status not in RETRIED:
                return reply
            delay = max(pause * random.uniform(0.5, 1.0), retry_after(reply.headers) if reply else 0.0)
            if self._clock() + delay > end:
                raise Unavailable(f"not taken within {within:g} s: {why}")
            self._wait(delay)
            pause = min(pause * 2, LAST_PAUSE)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _attempt(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply | None, str]:
        try:
            reply = self._once(method, path, headers, body)
            return reply, f"status {reply.status}"
        except _BROKEN as error:
            return None, type(error).__name__

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        kept = self._kept()
        if kept is not None:
            try:
                return self._on(kept, method, path, headers, body)
            except TimeoutError:
                raise
            except _BROKEN:
                kept.close()  # the server had closed it: ids make sending again harmless
        return self._on(self._new(), method, path, headers, body)

    def _on(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Reply:
        try:
            connection.request(method, self._base + path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return reply

    def _kept(self) -> http.client.HTTPConnection | None:
        with self._lock:
            if self._pid != os.getpid():  # after a fork the sockets are the parent's
                self._idle, self._pid = [], os.getpid()
            return self._idle.pop() if self._idle else None

    def _new(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait (RFC 9110 §10.2.3: a number or a date); 0 without such a header."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (when.astimezone(UTC) - datetime.now(UTC)).total_seconds())
