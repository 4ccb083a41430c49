"""The app port: the proxy and posted interactions, for the holder of the loop's app token."""

from __future__ import annotations

import hmac
import logging
import time
from pathlib import Path

from feedbackloop.events.validation import Refusal
from feedbackloop.gateway import consent, notice, notice_page, schemas
from feedbackloop.gateway.asgi import (
    Answer,
    Disconnected,
    Receive,
    Scope,
    Send,
    TooLarge,
    answer,
    bearer,
    header,
    problem,
    read_body,
    send_answer,
)
from feedbackloop.gateway.badrows.port import BadRowsPort
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.feedback_port import MAX_BATCH, MAX_BODY, unavailable
from feedbackloop.gateway.ingest import FeedbackIngest, NotJson, Sender
from feedbackloop.gateway.interactions import InteractionIngest
from feedbackloop.gateway.otlp.port import LOGS, TRACES, OtlpPort
from feedbackloop.gateway.peers.port import PeerPort
from feedbackloop.gateway.proxy import COMPLETIONS, Broken, Proxy
from feedbackloop.gateway.trusted import TrustedFeedbackPort
from feedbackloop.gateway.wal import LogUnavailable

MAX_COMPLETION, MAX_INTERACTION = 4 << 20, 1 << 20
INTERACTIONS, FEEDBACK, BATCH = "/v1/interactions", "/v1/feedback", "/v1/feedback:batch"
_TAKEN = {INTERACTIONS: MAX_INTERACTION, FEEDBACK: MAX_BODY, BATCH: MAX_BATCH}
"""What is posted to be stored, and the largest body of each."""

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

    def __init__(self, core: Core, proxy: Proxy, token: AppToken, peers: PeerPort | None = None,
                 verified: AppToken | None = None, badrows: BadRowsPort | None = None) -> None:  # fmt: skip
        self._core, self._proxy, self._token, self._peers, self._verified = core, proxy, token, peers, verified
        self._interactions, self._feedback = InteractionIngest(core), TrustedFeedbackPort(core)
        self._badrows = badrows
        self._otlp = OtlpPort(core, FeedbackIngest(core), self._interactions)

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
        if scope["method"] == "GET" and (page := self._public(scope)):
            await send_answer(send, page)
            return
        token = bearer(scope)
        if not self._token.admits(token):
            await self._by_annotators(scope, receive, send, token)
            return
        if self._badrows is not None and self._badrows.serves(scope["path"]):
            await send_answer(send, await self._badrows.take(scope, receive))
            return
        match scope["method"], scope["path"]:
            case "POST", path if path == COMPLETIONS:
                await self._proxy.complete(scope, receive, send, await read_body(scope, receive, MAX_COMPLETION))
            case "POST", path if path in _TAKEN:
                await send_answer(send, await self._take(scope, receive, verified=False))
            case "POST", path if path in (LOGS, TRACES):
                await send_answer(send, await self._otlp.take(scope, receive))
            case "POST", path if path == consent.PATH:
                await send_answer(send, await self._consent(await read_body(scope, receive, MAX_BODY)))
            case "GET", "/v1/models":
                await self._proxy.models(scope, send)
            case _:
                await send_answer(send, problem(404, "not_found", "no such path or method on the app port"))

    def _public(self, scope: Scope) -> Answer | None:
        """What anybody may read."""
        if scope["path"] == notice.PATH:
            return notice_page.answer_of(self._core.applied.notice, header(scope, b"accept"))
        return schemas.page(self._core.applied, scope["path"])

    async def _by_annotators(self, scope: Scope, receive: Receive, send: Send, token: bytes) -> None:
        """What the annotators' own token admits: verified feedback, and interactions that annotators will rate."""
        if self._verified is None or not self._verified.admits(token):
            self._core.metrics["tokens_refused"] += 1
            await send_answer(send, problem(401, "unauthorized", "the loop's app token is required"))
        elif scope["method"] != "POST" or scope["path"] not in _TAKEN:
            await send_answer(
                send, problem(403, "forbidden", "the verified token admits feedback and interactions only")
            )
        else:
            await send_answer(send, await self._take(scope, receive, verified=True))

    async def _take(self, scope: Scope, receive: Receive, *, verified: bool) -> Answer:
        """Raises TooLarge, Disconnected."""
        path = scope["path"]
        body = await read_body(scope, receive, _TAKEN[path])
        # An importer says so itself: it holds the same token as the app.
        channel = "import" if header(scope, b"x-feedback-channel") == b"import" else "api"
        sender = Sender(None, channel, verified=verified)
        if path == INTERACTIONS:
            return await self._interaction(body, sender)
        return await self._feedback.take(body, sender, lines=path == BATCH)

    async def _consent(self, body: bytes) -> Answer:
        try:
            return await consent.tell(self._core, body)
        except LogUnavailable as error:
            return unavailable(self._core, error)

    async def _interaction(self, body: bytes, sender: Sender) -> Answer:
        try:
            return answer(202, await self._interactions.take(body, sender=sender))
        except NotJson:
            return problem(400, "not_json", "the body is not JSON")
        except Refusal as refusal:
            return problem(422, refusal.code, refusal.message, path=refusal.path)
        except LogUnavailable as error:
            return unavailable(self._core, error)
