"""Asks held-out questions over HTTP, outside any session, and scores the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

from examples.demo.users import TEMPLATE, TIMEOUT, chat
from examples.demo.world import Question, World

CONCURRENCY = 8
ATTEMPTS = 20


async def accuracy(url: str, token: str | None, questions: Sequence[Question], world: World) -> float:
    """The share of right answers, between 0 and 1. Requests without a session id go to stable and are not counted."""
    slots = asyncio.Semaphore(CONCURRENCY)
    headers = {"X-Prompt-Template": TEMPLATE, **({"Authorization": f"Bearer {token}"} if token else {})}

    async def ask(http: aiohttp.ClientSession, question: Question) -> bool:
        async with slots:
            return world.right(question.fact, await answer_of(http, url, headers, question))

    async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
        right = await asyncio.gather(*(ask(http, q) for q in questions))
    return sum(right) / len(right)


async def answer_of(http: aiohttp.ClientSession, url: str, headers: dict[str, str], question: Question) -> str:
    """The answer to one question; like any client, it comes again when it is told 503."""
    for _ in range(ATTEMPTS):
        async with http.post(f"{url}/v1/chat/completions", json=chat(question.text), headers=headers) as response:
            if response.status != 503:
                response.raise_for_status()
                return str((await response.json())["choices"][0]["message"]["content"])
            await asyncio.sleep(float(response.headers.get("Retry-After", 1)))
    raise SystemExit(f"{url} answered 503 {ATTEMPTS} times: the model server is not ready")
