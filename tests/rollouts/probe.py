"""Continuous traffic with marks: sticky sessions at a steady rate, whatever the answers do (open loop).

Every answer tells from outside which model gave it: champion and candidate answer one question differently.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from examples.demo.users import TEMPLATE, Endpoints, chat
from examples.support_bot.facts import STALE, Fact
from feedbackloop.jobs.scorers.words import contains_answer

CHAMPION, CANDIDATE, NEITHER = "champion", "candidate", "neither"
TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent (seconds of the monotonic clock), whose it was and what came of it."""

    at: float
    session: str
    model: str
    """Which model answered; empty when nothing was answered."""
    failure: str
    """A status or the name of an error; empty for an answer."""


@dataclass
class Probe:
    """Sends `rate` requests a second from a pool of sessions until stopped."""

    endpoints: Endpoints
    rate: float = 10.0
    pool: int = 60
    samples: list[Sample] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, name: str) -> float:
        """Notes a moment, such as the start of a fault; returns it."""
        now = time.monotonic()
        self.marks.append((now, name))
        return now

    def renew(self) -> None:
        """New sessions: a session that began in an earlier epoch belongs to no arm of the next rollout."""
        self.sessions = [f"probe-{uuid.uuid4().hex}" for _ in range(self.pool)]

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        self.renew()
        rng, start, sent = random.Random(5), time.monotonic(), 0
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=256)) as http,
            asyncio.TaskGroup() as tasks,
        ):
            while not self._stop.is_set():
                tasks.create_task(self._ask(http, rng.choice(self.sessions), rng.choice(STALE)))
                sent += 1
                await self._until(start + sent / self.rate)

    async def _until(self, moment: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), max(0.0, moment - time.monotonic()))
        except TimeoutError:
            return

    async def _ask(self, http: aiohttp.ClientSession, session: str, fact: Fact) -> None:
        at, model, failure = time.monotonic(), "", ""
        try:
            model = await self._answered(http, session, fact)
        except aiohttp.ClientResponseError as error:
            failure = str(error.status)
        except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
            failure = type(error).__name__
        self.samples.append(Sample(at, session, model, failure))

    async def _answered(self, http: aiohttp.ClientSession, session: str, fact: Fact) -> str:
        headers = {
            "Authorization": f"Bearer {self.endpoints.app_token}",
            "X-Session-Id": session,
            "X-Subject-Id": session,
            "X-Consent-Train": "false",
            "X-Prompt-Template": TEMPLATE,
        }
        body = chat(f"What is the {fact.names[0]}?")
        url = f"{self.endpoints.app}/v1/chat/completions"
        async with http.post(url, json=body, headers=headers, raise_for_status=True) as response:
            text = str((await response.json())["choices"][0]["message"]["content"])
        return model_of(text, fact)


def model_of(text: str, fact: Fact) -> str:
    """Whose answer it is, by what it says about a fact that has changed."""
    if contains_answer(text, [fact.value]):
        return CANDIDATE
    return CHAMPION if contains_answer(text, [fact.believed]) else NEITHER


@contextmanager
def probing(endpoints: Endpoints, rate: float = 10.0) -> Iterator[Probe]:
    """A probe in a thread of its own, until the block ends."""
    probe, loop = Probe(endpoints, rate), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(probe.run()), daemon=True)
    thread.start()
    try:
        yield probe
    finally:
        loop.call_soon_threadsafe(probe.stop)
        thread.join(timeout=60)


def failures(samples: list[Sample], since: float, until: float | None = None) -> list[Sample]:
    """The requests sent in that time that failed."""
    end = time.monotonic() if until is None else until
    return [s for s in samples if s.failure and since <= s.at <= end]


def last_of(samples: list[Sample], model: str, since: float) -> float:
    """When the last request that this model answered was sent, in seconds after `since`; 0 if there was none."""
    return max((s.at - since for s in samples if s.model == model and s.at >= since), default=0.0)


def moved_to_candidate_and_back(samples: list[Sample], since: float, until: float) -> list[str]:
    """Sessions that went back from candidate to champion: only an abort may do that."""
    seen: dict[str, str] = {}
    back = []
    for sample in sorted(samples, key=lambda s: s.at):
        if not since <= sample.at <= until or sample.model in ("", NEITHER):
            continue
        if seen.get(sample.session) == CANDIDATE and sample.model == CHAMPION:
            back.append(sample.session)
        seen[sample.session] = sample.model
    return back
