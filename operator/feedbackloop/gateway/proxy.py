"""The OpenAI-compatible proxy: assigns, forwards, streams, and logs the interaction before its answer ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import aiohttp

from feedbackloop.api.gateway import Arm
from feedbackloop.events.records import InteractionRecord, Message
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
    EventStream,
    Json,
    StreamedText,
    encode,
    event_data,
    messages,
    neutral,
    outputs,
    parse_object,
)
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.turn import Turn
from feedbackloop.gateway.upstream import Unreachable, Upstream
from feedbackloop.gateway.wal import LogUnavailable

COMPLETIONS = "/v1/chat/completions"
MAX_RESPONSE = 16 << 20
_FORWARDED = (b"content-type", b"accept", b"traceparent", b"tracestate")
_DONE = b"[DONE]"

T = TypeVar("T")


class Proxy:
    """Serves chat completions and the model list."""

    def __init__(self, core: Core, upstream: Upstream) -> None:
        self._core, self._upstream = core, upstream

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
        request = parse_object(body)
        asked = messages(request) if request is not None else None
        if request is None or asked is None:
            await send_answer(send, problem(400, "invalid_request", "a JSON object with messages is required"))
            return
        turn = Turn.of(scope, self._core)
        async with _Watch(receive) as watch:
            response = await watch.unless_gone(self._reach(turn, scope, body))
            if response is None:
                self._core.served(turn.served(self._core, turn.serving(status=503, latency_ms=turn.elapsed_ms())))
                await send_answer(send, _no_endpoint())
                return
            async with response:
                if response.status == 200 and response.content_type == "text/event-stream":
                    await self._stream(turn, request, asked, response, send, watch)
                else:
                    await self._whole(turn, request, asked, response, send, watch)

    async def _reach(self, turn: Turn, scope: Scope, body: bytes) -> aiohttp.ClientResponse | None:
        """The assigned arm's response, else the fallback's; None when neither can be reached."""
        for arm in dict.fromkeys((turn.assigned, turn.routing.fallback or turn.assigned)):
            turn.arm, turn.fallback = arm, arm is not turn.assigned
            try:
                response, address = await self._upstream.request(
                    arm, "POST", COMPLETIONS, body=body, headers=_forwarded(scope)
                )
            except Unreachable:
                continue
            pool = self._upstream.pool(arm)
            turn.warm_up = pool.answered(address) if pool else False
            return response
        turn.arm, turn.fallback = turn.assigned, True
        return None

    async def _whole(self, turn: Turn, request: Json, asked: tuple[Message, ...],
                     response: aiohttp.ClientResponse, send: Send, watch: _Watch) -> None:  # fmt: skip
        body = await watch.unless_gone(_read(response))
        latency = turn.elapsed_ms()
        parsed = parse_object(body) if body is not None and response.status == 200 else None
        texts = outputs(parsed) if parsed else []
        if parsed is None or not texts:
            status = 502 if body is None or response.status == 200 else response.status
            serving = turn.serving(status=status, latency_ms=latency, broken=body is None)
            self._core.served(turn.served(self._core, serving))
            await send_answer(send, _refused(status))
            return
        headers = await self._logged(turn, asked, texts, latency)
        answered = encode(neutral(parsed, request))
        await send_answer(send, Answer(200, answered, (JSON, *headers)))

    async def _logged(self, turn: Turn, asked: tuple[Message, ...], texts: list[str], latency_ms: int,
                      *, broken: bool = False) -> list[tuple[bytes, bytes]]:  # fmt: skip
        """Logs the interaction durably; the headers that its answer carries, none when the log cannot take it."""
        core, serving = self._core, turn.serving(status=200, latency_ms=latency_ms, broken=broken)
        try:
            made = turn.record(core, asked, texts, serving)
            await (core.keep(made) if isinstance(made, InteractionRecord) else core.journal.submit([made]))
        except LogUnavailable:
            core.metrics["interactions_not_logged"] += 1
            core.served(turn.served(core, serving))
            return []
        if turn.missing is not None:
            core.served(turn.served(core, serving))  # a bad row tells nothing of the traffic
        return [*turn.feedback_headers(core, len(texts))]

    async def _stream(self, turn: Turn, request: Json, asked: tuple[Message, ...],
                      response: aiohttp.ClientResponse, send: Send, watch: _Watch) -> None:  # fmt: skip
        collected, latency = StreamedText(), turn.elapsed_ms()
        await send({"type": "http.response.start", "status": 200, "headers": self._stream_headers(turn, request)})
        last, broken = b"", False
        try:
            async for event in _events(response, watch):
                data = event_data(event)
                if data == _DONE:
                    last = event
                    break
                await _pass_on(send, _cleaned(event, data, request, collected))
        except Disconnected:
            await self._logged(turn, asked, collected.outputs() or [""], latency)
            return
        except (aiohttp.ClientError, TimeoutError, ValueError):
            broken = True
        # Durable before the last byte, so that a stream that ended well was also kept.
        await self._logged(turn, asked, collected.outputs() or [""], latency, broken=broken)
        if not broken:
            await send({"type": "http.response.body", "body": last})
        else:
            raise Broken

    def _stream_headers(self, turn: Turn, request: Json) -> list[tuple[bytes, bytes]]:
        base = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        try:
            self._core.journal.check()
        except LogUnavailable:
            return base
        choices = request.get("n")
        count = choices if isinstance(choices, int) and 1 <= choices <= 8 else 1
        return [*base, *turn.feedback_headers(self._core, count)]


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


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, None when the server breaks it off or never ends it."""
    parts, size = [], 0
    try:
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > MAX_RESPONSE:
                return None
    except (aiohttp.ClientError, TimeoutError):
        return None
    return b"".join(parts)


async def _events(response: aiohttp.ClientResponse, watch: _Watch) -> AsyncIterator[bytes]:
    stream = EventStream()
    while piece := await watch.unless_gone(response.content.readany()):
        for event in stream.feed(piece):
            yield event
    if stream.rest().strip():
        yield stream.rest() + b"\n\n"


def _cleaned(event: bytes, data: bytes | None, request: Json, collected: StreamedText) -> bytes:
    chunk = parse_object(data) if data else None
    if chunk is None:
        return event
    collected.take(chunk)
    return b"data: " + encode(neutral(chunk, request)) + b"\n\n"


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
