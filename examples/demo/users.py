"""Users over HTTP: one turn a session, at a steady rate, against the gateway's two ports."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp

from examples.demo.personas import Signal, User, population, react
from examples.demo.record import Acknowledged
from examples.demo.world import Question, World

TIMEOUT = aiohttp.ClientTimeout(total=30)
RETRIES = 5
TEMPLATE = "support@1"
"""The context that the loop requires of every request."""


@dataclass(frozen=True)
class Endpoints:
    """The gateway as users and their application reach it."""

    app: str
    feedback: str
    app_token: str


@dataclass
class Traffic:
    """Drives sessions until stopped; everything it does follows from its seed and the answers it gets."""

    endpoints: Endpoints
    world: World
    acknowledged: Acknowledged
    seed: int
    rate: float = 10.0
    population_size: int = 600
    concurrency: int = 64
    votes: list[tuple[float, bool, bool]] = field(default_factory=list)
    """(seconds since the start, answer was right, vote was down): what users did, for the report."""
    sessions: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        rng = random.Random(self.seed)
        users = population(self.population_size, rng)
        slots = asyncio.Semaphore(self.concurrency)
        start = time.monotonic()
        connector = aiohttp.TCPConnector(limit=self.concurrency * 2)
        async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as http, asyncio.TaskGroup() as tasks:
            while not self._stop.is_set():
                await slots.acquire()
                turn = Turn(self, http, rng.choice(users), self.world.question(rng), random.Random(rng.random()), start)
                tasks.create_task(turn.run()).add_done_callback(lambda _: slots.release())
                self.sessions += 1
                await self._until(start + self.sessions / self.rate)

    async def _until(self, moment: float) -> None:
        delay = moment - time.monotonic()
        if delay > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), delay)
            except TimeoutError:
                return


@dataclass
class Turn:
    """One session: a question, an answer, and what the user sends about it."""

    traffic: Traffic
    http: aiohttp.ClientSession
    user: User
    question: Question
    rng: random.Random
    start: float

    async def run(self) -> None:
        try:
            answer, token = await self._ask()
        except (aiohttp.ClientError, TimeoutError, KeyError) as error:
            self.traffic.acknowledged.failure(f"ask: {type(error).__name__}")
            return
        signals = react(self.user, self.question, answer, self.traffic.world, self.rng)
        self._remember(answer, signals)
        if token:
            await send(self.http, self.traffic.endpoints, token, signals, self.traffic.acknowledged)

    def _remember(self, answer: str, signals: Iterable[Signal]) -> None:
        down = next((s.value is False for s in signals if s.signal == "helpful"), False)
        right = self.traffic.world.right(self.question.fact, answer)
        self.traffic.votes.append((time.monotonic() - self.start, right, down))

    async def _ask(self) -> tuple[str, str | None]:
        headers = {
            "Authorization": f"Bearer {self.traffic.endpoints.app_token}",
            "X-Session-Id": f"s-{self.rng.getrandbits(64):016x}",
            "X-Subject-Id": self.user.subject,
            "X-Consent-Train": "true" if self.user.consents else "false",
            "X-Prompt-Template": TEMPLATE,
        }
        async with self.http.post(
            f"{self.traffic.endpoints.app}/v1/chat/completions", json=chat(self.question.text), headers=headers
        ) as response:
            if response.status != 200:
                raise aiohttp.ClientPayloadError(str(response.status))
            output_id, token = response.headers.get("X-Feedback-Output-Id"), response.headers.get("X-Feedback-Token")
            if output_id and token:
                self.traffic.acknowledged.output(output_id)
            return (await response.json())["choices"][0]["message"]["content"], token


def chat(text: str) -> dict[str, object]:
    return {"model": "support-bot", "messages": [{"role": "user", "content": text}], "temperature": 0}


async def send(
    http: aiohttp.ClientSession, endpoints: Endpoints, token: str, signals: Iterable[Signal], acknowledged: Acknowledged
) -> None:
    """Send events, again with the same ids while the gateway says 429 or 503, and note what was acknowledged."""
    events = [{"event_id": uuid7(), "signal": s.signal, "value": s.value} for s in signals]
    await post_events(http, endpoints, token, events, acknowledged)


async def post_events(
    http: aiohttp.ClientSession,
    endpoints: Endpoints,
    token: str,
    events: list[dict[str, object]],
    acknowledged: Acknowledged,
) -> None:
    for attempt in range(RETRIES):
        try:
            async with http.post(
                f"{endpoints.feedback}/v1/feedback",
                json={"events": events},
                headers={"Authorization": f"Bearer {token}"},
            ) as response:
                if response.status in (202, 422):
                    return note(await response.json(), events, acknowledged)
                reason, wait = str(response.status), float(response.headers.get("Retry-After", 1))
        except (aiohttp.ClientError, TimeoutError) as error:
            reason, wait = type(error).__name__, 1.0
        await asyncio.sleep(min(wait, 5.0) * (attempt + 1) / 2)
    acknowledged.failure(f"feedback: {reason}")
    return None


def note(
    answer: dict[str, list[dict[str, object]]], events: list[dict[str, object]], acknowledged: Acknowledged
) -> None:
    rejected = {int(str(r["index"])) for r in answer.get("rejected", [])}
    for row in answer.get("rejected", []):
        if "bad_row_id" in row:
            acknowledged.bad_row(str(row["bad_row_id"]))
    for index, event in enumerate(events):
        if index not in rejected:
            acknowledged.event(str(event["event_id"]))


def uuid7() -> str:
    """A UUID version 7 (RFC 9562): milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
