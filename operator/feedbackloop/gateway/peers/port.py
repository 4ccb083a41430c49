"""The receiving side of what pods say to each other: `POST /v1/peer/<what>` on the app port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from feedbackloop.gateway.asgi import Answer, Receive, Scope, Send, header, problem, read_body, send_answer
from feedbackloop.gateway.peers.client import PATH
from feedbackloop.gateway.peers.seal import HEADER, NotAPeer, PeerSeal
from feedbackloop.gateway.wal import LogUnavailable

MAX_BODY = 32 << 20
_BYTES = (b"content-type", b"application/octet-stream")

Handler = Callable[[bytes], Awaitable[bytes]]
"""From what was sealed to the answer, which is sealed too. May raise LogUnavailable."""


class PeerPort:
    """Opens messages of other pods and hands them on. What came from a pod is never forwarded again."""

    def __init__(self, seal: PeerSeal, own: int, handlers: Mapping[str, Handler]) -> None:
        self._seal, self._own, self._handlers = seal, own, handlers

    @staticmethod
    def serves(path: str) -> bool:
        return path.startswith(PATH)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises TooLarge, Disconnected."""
        what = str(scope["path"]).removeprefix(PATH)
        handler = self._handlers.get(what)
        if handler is None or scope["method"] != "POST" or not self._admits(scope, what):
            await send_answer(send, problem(404, "not_found", "no such path or method on the app port"))
            return
        await send_answer(send, await self._answer(what, handler, await read_body(scope, receive, MAX_BODY)))

    def _admits(self, scope: Scope, what: str) -> bool:
        """Judged before the body is read: only pods of this loop may fill memory here."""
        length = header(scope, b"content-length")
        known = length.isdigit() and len(length) < 12
        return known and self._seal.admits(header(scope, HEADER), to=self._own, what=what, length=int(length))

    async def _answer(self, what: str, handler: Handler, sealed: bytes) -> Answer:
        try:
            answered = await handler(self._seal.open(sealed, to=self._own, what=what))
        except NotAPeer:
            return problem(403, "forbidden", "not sealed by a pod of this loop for this one")
        except LogUnavailable as error:
            return problem(503, "unavailable", f"cannot store now: {error.reason}", retry_after=1)
        return Answer(200, self._seal.seal(answered, to=self._own, what=f"{what}/answer"), (_BYTES,))
