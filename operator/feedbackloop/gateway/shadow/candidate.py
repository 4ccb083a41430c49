"""Asking the candidate: its answer is read to the end, whole or streamed, and bounded in time and size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp

from feedbackloop.api.gateway import Arm
from feedbackloop.gateway.completions import DONE, EventStream, StreamedText, event_data, outputs, parse_object
from feedbackloop.gateway.upstream import Unreachable, Upstream

COMPLETIONS = "/v1/chat/completions"
MAX_ANSWER = 4 << 20
"""Bytes of an answer, most of which a stream spends on its frames."""
TOTAL_SECONDS = 120.0
READ_SECONDS = 30.0
"""The longest silence."""
HEADERS = {"content-type": "application/json", "accept-encoding": "identity", "x-shadow": "true"}
"""All that the candidate is told: nothing of the user's headers goes with a shadow."""


Take = Callable[[int], bool]
"""Whether so many more bytes may be held."""


async def answer(upstream: Upstream, body: bytes, take: Take) -> str | None:
    """The text of the candidate's first choice; None when it gave none in time, or too much."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            response, _ = await upstream.request(Arm.CANARY, "POST", COMPLETIONS, body=body, headers=HEADERS)
            async with response:
                return await _text(response, take) if response.status == 200 else None
    except (Unreachable, aiohttp.ClientError, TimeoutError, ValueError):
        return None


async def _text(response: aiohttp.ClientResponse, take: Take) -> str | None:
    if response.content_type == "text/event-stream":
        return await _streamed(response, take)
    parsed = parse_object(b"".join([part async for part in _parts(response, take)]))
    texts = outputs(parsed) if parsed else []
    return texts[0] if texts else None


async def _parts(response: aiohttp.ClientResponse, take: Take) -> AsyncIterator[bytes]:
    """What comes, as it comes. Raises ValueError when it is more than may be held."""
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER or not take(len(part)):
            raise ValueError("more than a shadow may hold")
        yield part


async def _streamed(response: aiohttp.ClientResponse, take: Take) -> str | None:
    """Of a stream that has come to its end; one that was broken off is no answer."""
    stream, collected, ended = EventStream(), StreamedText(), False
    async for part in _parts(response, take):
        for event in stream.feed(part):
            content = event_data(event)
            ended = ended or content == DONE
            if content and (chunk := parse_object(content)):
                collected.take(chunk)
    return (collected.outputs() or [""])[0] if ended else None
