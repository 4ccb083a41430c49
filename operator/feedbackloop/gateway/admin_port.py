"""The admin port: status, health, metrics and drain, for the operator's pod only (a NetworkPolicy says so)."""

from __future__ import annotations

import logging

from feedbackloop.gateway.asgi import Answer, Receive, Scope, Send, answer, problem, send_answer
from feedbackloop.gateway.audit import DRAINED, audit
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.status import metrics, status
from feedbackloop.gateway.uploader import Uploader

_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")

logger = logging.getLogger(__name__)


class AdminPort:
    """Routes the admin port. Before the gateway is ready there is no core: only liveness is answered."""

    def __init__(self, pod: str) -> None:
        self._pod = pod
        self.waiting = "no configuration yet"
        """For what the gateway waits before it is ready."""
        self._core: Core | None = None
        self._uploader: Uploader | None = None

    def ready(self, core: Core, uploader: Uploader) -> None:
        """The gateway works: serve everything."""
        self._core, self._uploader = core, uploader

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send_answer(send, self._answer(scope["method"], scope["path"]))

    def _answer(self, method: str, path: str) -> Answer:
        if path == "/livez":
            return Answer(200, b"ok", (_TEXT,))
        if self._core is None or self._uploader is None:
            return problem(503, "starting", self.waiting, retry_after=1)
        try:
            return self._serve(method, path, self._core, self._uploader)
        except Exception as error:
            logger.error("admin port: %s", type(error).__name__)
            return problem(500, "internal", "internal error")

    def _serve(self, method: str, path: str, core: Core, uploader: Uploader) -> Answer:
        match method, path:
            case "GET", "/status":
                return answer(200, status(core, uploader, self._pod).to_wire())
            case "GET", "/readyz":
                return _readiness(core)
            case "GET", "/metrics":
                return Answer(200, metrics(core, uploader).encode(), (_TEXT,))
            case "POST", "/drain":
                if not core.journal.closed:
                    audit(core.journal, DRAINED, actor="operator", pod=self._pod)
                core.draining = core.journal.closed = True
                core.journal.review()
                uploader.drain()
                return answer(202, {"draining": True})
        return problem(404, "not_found", "no such path or method on the admin port")


class MetricsPort:
    """The admin port's metrics, for readers that may neither drain a pod nor see its status."""

    def __init__(self, admin: AdminPort) -> None:
        self._admin = admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("GET", "/metrics"):
            await self._admin(scope, receive, send)
        elif scope["type"] == "http":
            await send_answer(send, problem(404, "not_found", "this port serves GET /metrics only"))


def _readiness(core: Core) -> Answer:
    if core.draining:
        return problem(503, "draining", "the gateway takes nothing any more")
    if core.journal.failure:
        return problem(503, "log", f"the log takes nothing: {core.journal.failure}")
    return Answer(200, b"ok", (_TEXT,))
