"""Feedback from servers that hold the app token (or the annotators'): its events say themselves whose they are."""

from __future__ import annotations

import asyncio

from feedbackloop.gateway.asgi import Answer
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.feedback_port import answered, problem_of, unavailable
from feedbackloop.gateway.ingest import FeedbackIngest, NotJson, Outcome, Sender, TooManyEvents
from feedbackloop.gateway.wal import LogUnavailable


class TrustedFeedbackPort:
    """`POST /v1/feedback` and `/v1/feedback:batch` of the app port."""

    def __init__(self, core: Core) -> None:
        self._core, self._ingest = core, FeedbackIngest(core)

    async def take(self, body: bytes, sender: Sender, *, lines: bool) -> Answer:
        """The answer, when everything accepted is durable."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome, error: LogUnavailable | None) -> None:
            if not answer.done():
                answer.set_result(answered(self._core, outcome, error))

        try:
            (self._ingest.take_lines if lines else self._ingest.take)(body, sender, done)
        except (TooManyEvents, NotJson) as error:
            return problem_of(error)
        except LogUnavailable as error:
            return unavailable(self._core, error)
        return await answer
