"""The app port: the proxy and posted interactions, for the holder of the loop's app token."""

from __future__ import annotations

import hmac
import logging
import time
from pathlib import Path

from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.asgi import (
    Answer,
    Disconnected,
    Receive,
    Scope,
    Send,
    TooLarge,
    answer,
    bearer,
    problem,
    read_body,
    send_answer,
)
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.feedback_port import unavailable
from feedbackloop.gateway.ingest import NotJson
from feedbackloop.gateway.interactions import InteractionIngest
from feedbackloop.gateway.peers.port import PeerPort
from feedbackloop.gateway.proxy import COMPLETIONS, Broken, Proxy
from feedbackloop.gateway.wal import LogUnavailable

MAX_COMPLETION, MAX_INTERACTION = 4 << 20, 1 << 20

logger = logging.getLogger(__name__)


class AppToken:
    """The bearer token file of the app Secret, read again at most once a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._token, self._checked = path, b"", 0.0

    def admits(self, token: bytes) -> bool:
        now = time.monotonic()
        if now - self._checked > 1.0 or not self._token:
            self._checked, self._token = now, self._read()
        return bool(self._token) and hmac.compare_digest(token, self._token)

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes().strip()
        except OSError:
            return self._token


class AppPort:
    """Routes the app port."""

    def __init__(self, core: Core, proxy: Proxy, token: AppToken, peers: PeerPort | None = None) -> None:
        self._core, self._proxy, self._token, self._peers = core, proxy, token, peers
        self._interactions = InteractionIngest(core)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._route(scope, receive, send)
        except Disconnected:
            self._core.metrics["client_disconnects"] += 1
        except Broken:
            # Ending here makes the server close the connection without the end of the chunked body.
            self._core.metrics["broken_streams"] += 1
        except TooLarge:
            await send_answer(send, problem(413, "too_large", "the body is too large"))
        except Exception as error:
            # Without the message: it could quote the request.
            logger.error("app port: %s", type(error).__name__)
            await send_answer(send, problem(500, "internal", "internal error"))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._peers is not None and self._peers.serves(scope["path"]):
            await self._peers.serve(scope, receive, send)
            return
        if not self._token.admits(bearer(scope)):
            await send_answer(send, problem(401, "unauthorized", "the loop's app token is required"))
            return
        match scope["method"], scope["path"]:
            case "POST", path if path == COMPLETIONS:
                await self._proxy.complete(scope, receive, send, await read_body(scope, receive, MAX_COMPLETION))
            case "POST", "/v1/interactions":
                await send_answer(send, await self._interaction(await read_body(scope, receive, MAX_INTERACTION)))
            case "GET", "/v1/models":
                await self._proxy.models(scope, send)
            case _:
                await send_answer(send, problem(404, "not_found", "no such path or method on the app port"))

    async def _interaction(self, body: bytes) -> Answer:
        try:
            return answer(202, await self._interactions.take(body))
        except NotJson:
            return problem(400, "not_json", "the body is not JSON")
        except Refusal as refusal:
            return problem(422, refusal.code, refusal.message, path=refusal.path)
        except LogUnavailable as error:
            return unavailable(self._core, error)
