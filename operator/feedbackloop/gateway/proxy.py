"""The OpenAI-compatible proxy: assigns, forwards, streams, and logs the interaction before its answer ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import aiohttp

from feedbackloop.api.gateway import Arm
from feedbackloop.events.records import InteractionRecord, Serving
from feedbackloop.gateway.answers import Asked, Shown, told_of
from feedbackloop.gateway.asgi import (
    JSON,
    Answer,
    Disconnected,
    Receive,
    Scope,
    Send,
    header,
    problem,
    send_answer,
)
from feedbackloop.gateway.completions import (
    DONE,
    EventStream,
    Json,
    StreamedText,
    calls_tools,
    encode,
    event_data,
    messages,
    neutral,
    outputs,
    parse_object,
)
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.shadow.mirror import Mirror
from feedbackloop.gateway.turn import Turn
from feedbackloop.gateway.upstream import Unreachable, Upstream, read
from feedbackloop.gateway.wal import LogUnavailable

COMPLETIONS = "/v1/chat/completions"
MAX_RESPONSE = 16 << 20
_FORWARDED = (b"content-type", b"accept", b"traceparent", b"tracestate")

T = TypeVar("T")


class Proxy:
    """Serves chat completions and the model list."""

    def __init__(self, core: Core, upstream: Upstream, mirror: Mirror) -> None:
        self._core, self._upstream, self._mirror = core, upstream, mirror

    async def models(self, scope: Scope, send: Send) -> None:
        """`GET /v1/models`: the stable arm's list, or the fallback's."""
        routing = self._core.applied.config.routing
        for arm in dict.fromkeys((Arm.STABLE, routing.fallback or Arm.STABLE)):
            try:
                response, _ = await self._upstream.request(
                    arm, "GET", "/v1/models", body=None, headers=_forwarded(scope)
                )
            except Unreachable:
                continue
            async with response:
                body = await response.read()
            await send_answer(
                send, Answer(response.status, body) if response.status < 400 else _refused(response.status)
            )
            return
        await send_answer(send, _no_endpoint())

    async def complete(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        """`POST /v1/chat/completions`."""
        asked = _asked(body)
        if asked is None:
            await send_answer(send, problem(400, "invalid_request", "a JSON object with messages is required"))
            return
        turn = Turn.of(scope, self._core)
        async with _Watch(receive) as watch:
            shown = await self._answer(turn, asked, scope, send, watch)
        if shown is not None:
            self._mirror.offer(turn, asked, shown)

    async def _answer(self, turn: Turn, asked: Asked, scope: Scope, send: Send, watch: _Watch) -> Shown | None:
        """What the user was shown, None when it was no whole answer."""
        try:
            response = await watch.unless_gone(self._reach(turn, scope, asked.body))
        except Disconnected:
            self._cancelled(turn)
            raise
        if response is None:
            self._core.served(turn.served(self._core, turn.serving(status=503, latency_ms=turn.elapsed_ms())))
            await send_answer(send, _no_endpoint())
            return None
        async with response:
            if response.status == 200 and response.content_type == "text/event-stream":
                return await self._stream(turn, asked, response, send, watch)
            return await self._whole(turn, asked, response, send, watch)

    def _cancelled(self, turn: Turn) -> None:
        """The client went away before there was an answer."""
        serving = turn.serving(status=200, latency_ms=turn.elapsed_ms(), cancelled=True)
        self._core.served(turn.served(self._core, serving))

    async def _reach(self, turn: Turn, scope: Scope, body: bytes) -> aiohttp.ClientResponse | None:
        """The first arm's response, else the next one's; None when none can be reached."""
        first, *_ = turn.arms
        for arm in turn.arms:
            turn.arm, turn.fallback = arm, arm is not first
            try:
                response, address = await self._upstream.request(
                    arm, "POST", COMPLETIONS, body=body, headers=_forwarded(scope)
                )
            except Unreachable:
                continue
            pool = self._upstream.pool(arm)
            turn.warm_up = pool.answered(address) if pool else False
            return response
        turn.arm, turn.fallback = first, True
        return None

    async def _whole(self, turn: Turn, asked: Asked, response: aiohttp.ClientResponse, send: Send, watch: _Watch
                     ) -> Shown | None:  # fmt: skip
        try:
            body = await watch.unless_gone(read(response, MAX_RESPONSE))
        except Disconnected:
            self._cancelled(turn)
            raise
        latency = turn.elapsed_ms()
        parsed = parse_object(body) if body is not None and response.status == 200 else None
        texts = outputs(parsed) if parsed else []
        if parsed is None or not texts:
            status = 502 if body is None or response.status == 200 else response.status
            serving = turn.serving(status=status, latency_ms=latency, broken=body is None)
            self._core.served(turn.served(self._core, serving))
            await send_answer(send, _refused(status))
            return None
        told = told_of(texts, tools=calls_tools(parsed))
        headers = await self._logged(turn, asked, texts, turn.serving(status=200, latency_ms=latency, **told))
        answered = encode(neutral(parsed, asked.request))
        await send_answer(send, Answer(200, answered, (JSON, *headers)))
        return Shown(texts[0], latency)

    async def _logged(self, turn: Turn, asked: Asked, texts: list[str], serving: Serving
                      ) -> list[tuple[bytes, bytes]]:  # fmt: skip
        """Logs the interaction durably; the headers that its answer carries, none when the log cannot take it."""
        core = self._core
        try:
            made = turn.record(core, asked.messages, texts, serving)
            await (core.keep(made) if isinstance(made, InteractionRecord) else core.journal.submit([made]))
        except LogUnavailable:
            core.metrics["interactions_not_logged"] += 1
            core.served(turn.served(core, serving))
            return []
        if turn.missing is not None:
            core.served(turn.served(core, serving))  # a bad row tells nothing of the traffic
        return [*turn.feedback_headers(core, len(texts))]

    async def _stream(self, turn: Turn, asked: Asked, response: aiohttp.ClientResponse, send: Send, watch: _Watch
                      ) -> Shown | None:  # fmt: skip
        stream = _Stream(turn)
        await send({"type": "http.response.start", "status": 200, "headers": self._stream_headers(turn, asked.request)})
        last, broken = b"", False
        try:
            async for event in _events(response, watch):
                data = event_data(event)
                if data == DONE:
                    last = event
                    break
                await _pass_on(send, stream.cleaned(event, data, asked.request))
        except Disconnected:
            await self._logged(turn, asked, stream.texts, stream.serving(cancelled=True))
            raise
        except (aiohttp.ClientError, TimeoutError, ValueError):
            broken = True
        # Durable before the last byte, so that a stream that ended well was also kept.
        await self._logged(turn, asked, stream.texts, stream.serving(broken=broken))
        if broken:
            raise Broken
        await send({"type": "http.response.body", "body": last})
        return Shown(stream.texts[0], turn.elapsed_ms())

    def _stream_headers(self, turn: Turn, request: Json) -> list[tuple[bytes, bytes]]:
        base = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        try:
            self._core.journal.check()
        except LogUnavailable:
            return base
        choices = request.get("n")
        count = choices if isinstance(choices, int) and 1 <= choices <= 8 else 1
        return [*base, *turn.feedback_headers(self._core, count)]


class _Stream:
    """A streamed answer on its way to the client: what has come of it so far."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._collected, self._latency = turn, StreamedText(), turn.elapsed_ms()
        self._first_token: int | None = None

    def cleaned(self, event: bytes, data: bytes | None, request: Json) -> bytes:
        """The event as the client gets it."""
        chunk = parse_object(data) if data else None
        if chunk is None:
            return event
        self._collected.take(chunk)
        if self._first_token is None and self._collected.begun:
            self._first_token = self._turn.elapsed_ms()
        return b"data: " + encode(neutral(chunk, request)) + b"\n\n"

    @property
    def texts(self) -> list[str]:
        return self._collected.outputs() or [""]

    def serving(self, *, cancelled: bool = False, broken: bool = False) -> Serving:
        told = {} if cancelled or broken else told_of(self.texts, tools=self._collected.calls_tools)
        return self._turn.serving(
            status=200,
            latency_ms=self._latency,
            streamed=True,
            first_token_ms=self._first_token,
            cancelled=cancelled,
            broken=broken,
            **told,
        )


class Broken(Exception):  # noqa: N818
    """The server broke a stream off: the client's connection is closed without the stream's end."""


class _Watch:
    """Tells when the client goes away."""

    def __init__(self, receive: Receive) -> None:
        self._gone = asyncio.ensure_future(self._wait(receive))

    @staticmethod
    async def _wait(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def __aenter__(self) -> _Watch:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.cancel()

    async def unless_gone(self, work: Awaitable[T]) -> T:
        """The result of `work`. Raises Disconnected, with the work cancelled, when the client goes away first."""
        task = asyncio.ensure_future(work)
        await asyncio.wait((task, self._gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            raise Disconnected
        return task.result()


def _asked(body: bytes) -> Asked | None:
    request = parse_object(body)
    said = messages(request) if request is not None else None
    return None if request is None or said is None else Asked(request, said, body)


async def _events(response: aiohttp.ClientResponse, watch: _Watch) -> AsyncIterator[bytes]:
    stream = EventStream()
    while piece := await watch.unless_gone(response.content.readany()):
        for event in stream.feed(piece):
            yield event
    if stream.rest().strip():
        yield stream.rest() + b"\n\n"


async def _pass_on(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


def _forwarded(scope: Scope) -> dict[str, str]:
    found = {name.decode(): header(scope, name).decode("latin-1") for name in _FORWARDED}
    return {name: value for name, value in found.items() if value} | {"accept-encoding": "identity"}


def _no_endpoint() -> Answer:
    return problem(503, "unavailable", "no model server is ready", retry_after=1)


def _refused(status: int) -> Answer:
    """An upstream error without its text, which could name the revision or quote the prompt."""
    if status >= 500:
        return problem(status, "server_error", "the model server failed")
    return problem(status if status >= 400 else 502, "invalid_request", "the model server refused the request")
