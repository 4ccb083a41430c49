"""`SourcesPort`: numbers of Prometheus (or what speaks its HTTP API), asked in the background.

A look never waits for a source: it takes what was last answered, and starts the next question when its
interval is over. Everything but one finite number is an error with its reason, never 0.
API: https://prometheus.io/docs/prometheus/latest/querying/api/ (`POST /api/v1/query`).
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import logging
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from feedbackloop.adapters.credentials import CredentialFiles
from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.domain.rollout.queries import QuerySeen, Question
from feedbackloop.domain.statistics.numerals import numeral

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
MOST_BYTES = 256 * 1024
MOST_QUESTIONS = 2000
MOST_LAG_SECONDS = 60.0
DIGITS = 10
_log = logging.getLogger("feedbackloop.sources")
KEYS = ("PROMETHEUS_TOKEN", "PROMETHEUS_USERNAME", "PROMETHEUS_PASSWORD")


class NoNumber(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The source gave no number; the message says why."""


@dataclass
class _Asked:
    """One guardrail of one run in one epoch."""

    due: datetime
    seen: QuerySeen | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class PrometheusAdapter:
    """The last answer by run, guardrail and epoch, and one HTTP session."""

    def __init__(self, config: AdminConfig) -> None:
        self._config = config
        self._credentials = CredentialFiles(config.credentials_path)
        self._session: aiohttp.ClientSession | None = None
        self._asked: OrderedDict[tuple[str, str, int], _Asked] = OrderedDict()

    def answer(self, run_uid: str, question: Question, now: datetime) -> QuerySeen | None:
        """What was last answered; None before the first answer. Needs a running event loop, and returns at once."""
        key = run_uid, question.guardrail, question.epoch
        asked = self._asked.setdefault(key, _Asked(now))
        self._asked.move_to_end(key)
        if now >= asked.due and (asked.task is None or asked.task.done()):
            asked.due = now + timedelta(seconds=question.interval_seconds)
            asked.task = asyncio.create_task(self._ask(asked, question, now), name=f"ask {question.guardrail}")
        self._forget()
        return asked.seen

    async def settled(self) -> None:
        """Return when every question that was asked is answered."""
        await asyncio.gather(*(a.task for a in self._asked.values() if a.task is not None))

    async def close(self) -> None:
        tasks = [a.task for a in self._asked.values() if a.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _forget(self) -> None:
        """The guardrails that nobody has asked about for the longest."""
        while len(self._asked) > MOST_QUESTIONS:
            _, gone = self._asked.popitem(last=False)
            if gone.task is not None:
                gone.task.cancel()

    async def _ask(self, asked: _Asked, question: Question, now: datetime) -> None:
        try:
            asked.seen = await self._seen(question, now)
        except NoNumber as error:
            asked.seen = QuerySeen(question.guardrail, question.epoch, error=str(error)[:300])
        except Exception as bug:
            # Numbers must not stand for ever because of it: no answer is what it comes to.
            asked.seen = QuerySeen(question.guardrail, question.epoch, error=f"not asked: {type(bug).__name__}")
            _log.exception("ask guardrail=%s", question.guardrail)

    async def _seen(self, question: Question, now: datetime) -> QuerySeen:
        """Both arms, and the requests, for the same time."""
        wanted = (question.canary, question.stable, question.requests)
        async with asyncio.TaskGroup() as group:
            tasks = [None if q is None else group.create_task(self._try(question, q, now)) for q in wanted]
        canary, stable, requests = (_number(task.result()) if task else None for task in tasks)
        assert canary is not None
        return QuerySeen(
            name=question.guardrail,
            epoch=question.epoch,
            canary=numeral(canary, DIGITS),
            stable=None if stable is None else numeral(stable, DIGITS),
            requests=None if requests is None else _whole(requests),
        )

    async def _try(self, question: Question, query: str, now: datetime) -> float | NoNumber:
        """An error as a value: the other arm's question goes on."""
        try:
            return await self.number(question.endpoint_name, query, now)
        except NoNumber as error:
            return error

    async def number(self, endpoint_name: str, query: str, at: datetime) -> float:
        """The finite number that a query gives at that time; raises `NoNumber`."""
        endpoint = self._config.endpoint(endpoint_name, EndpointType.PROMETHEUS)
        if endpoint is None:
            raise NoNumber(f"the admin's file has no Prometheus endpoint {endpoint_name!r}")
        form = {"query": query, "time": f"{at.timestamp():.3f}", "timeout": "8s"}
        try:
            async with self._open().post(
                f"{endpoint.url.rstrip('/')}/api/v1/query",
                data=form,
                headers=self._credentials.authorization(endpoint.name, *KEYS),
                allow_redirects=False,
            ) as answer:
                _check_clock(answer.headers.get("Date"), at)
                return parse(answer.status, await _bounded(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as cause:
            raise NoNumber(f"{endpoint.name} does not answer: {type(cause).__name__}") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def parse(status: int, body: bytes) -> float:
    """The one finite number of an answer; raises `NoNumber` with the reason."""
    value = _json(body)
    if status != 200 or value.get("status") != "success":
        said = f"{value.get('errorType') or ''}: {value.get('error') or 'no reason given'}".removeprefix(": ")
        raise NoNumber(f"the source answered {status}: {said}"[:300])
    if value.get("warnings"):
        raise NoNumber(f"the source warns, so its answer may lack a part: {value['warnings'][0]}"[:300])
    return _finite(_sample(value.get("data")))


def _sample(data: Any) -> Any:
    """The value of a scalar, or of the only series of a vector."""
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    if kind == "scalar" and isinstance(result, list) and len(result) == 2:
        return result[1]
    if kind != "vector" or not isinstance(result, list):
        raise NoNumber(f"the query gives a {kind}: it must give one number")
    if not result:
        raise NoNumber("the query gives nothing: no series has these labels in this time")
    if len(result) > 1:
        raise NoNumber(f"the query gives {len(result)} series: aggregate them, for example with sum()")
    sample = result[0].get("value") if isinstance(result[0], dict) else None
    if not isinstance(sample, list) or len(sample) != 2:
        raise NoNumber("the query gives a histogram: it must give one number")
    return sample[1]


def _finite(text: Any) -> float:
    try:
        number = float(text)
    except (TypeError, ValueError):
        raise NoNumber("the answer holds no number") from None
    if not math.isfinite(number):
        raise NoNumber(f"the query gives {text}: there were no requests to divide by, or a counter is broken")
    return number


def _number(found: float | NoNumber) -> float:
    if isinstance(found, NoNumber):
        raise found
    return found


def _whole(requests: float) -> int:
    """PromQL's increase() extrapolates to fractions: only whole requests count."""
    if requests < 0:
        raise NoNumber(f"requestsQuery gives {requests:g}: requests cannot be negative")
    return math.floor(requests)


def _check_clock(date: str | None, at: datetime) -> None:
    """A source whose clock is off would answer for another time than was asked."""
    try:
        theirs = email.utils.parsedate_to_datetime(date) if date else at
    except ValueError:
        return
    lag = (at - theirs).total_seconds()
    if abs(lag) > MOST_LAG_SECONDS:
        raise NoNumber(f"the source's clock is {abs(lag):.0f} s {'behind' if lag > 0 else 'ahead of'} ours")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise NoNumber(f"the answer is larger than {MOST_BYTES} bytes: aggregate, for example with sum()")
    return bytes(body)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
