"""A model directory that answers conversations, with the server's own generate function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feedbackloop.events.records import Message
from feedbackloop.jobs.errors import BaseModelUnavailable
from feedbackloop.jobs.generation import Generator, Request, UnreadableModelError, load
from feedbackloop.jobs.scorers import Answer
from feedbackloop.jobs.scorers.answer import NONE


@dataclass(frozen=True)
class LocalModel:
    """Greedy and in fp32, whoever asks."""

    generator: Generator
    max_tokens: int

    def answer(self, asked: Sequence[Sequence[Message]], batch: int) -> list[Answer]:
        """In order; a conversation that leaves no room for an answer has none."""
        requests = [self._request(messages) for messages in asked]
        fitting = [number for number, request in enumerate(requests) if self._fits(request)]
        given = self.generator.generate([requests[number] for number in fitting], batch)
        found = {n: Answer(a.text, a.finish or NONE, len(a.tokens)) for n, a in zip(fitting, given, strict=True)}
        return [found.get(number, Answer("", NONE)) for number in range(len(requests))]

    def _request(self, messages: Sequence[Message]) -> Request:
        return Request([{"role": m.role, "content": m.content} for m in messages], self.max_tokens)

    def _fits(self, request: Request) -> bool:
        try:
            self.generator.open(request)
        except ValueError:
            return False
        return True


def opened(directory: Path, max_tokens: int) -> LocalModel:
    """The model of a directory. Raises BaseModelUnavailable."""
    try:
        return LocalModel(load(directory), max_tokens)
    except UnreadableModelError as error:
        raise BaseModelUnavailable(str(error)) from None
