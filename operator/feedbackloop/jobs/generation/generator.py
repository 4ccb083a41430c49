"""The greedy loop over a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from feedbackloop.jobs.generation.chat import Chat, Message
from feedbackloop.jobs.generation.decoder import Decoder


@dataclass(frozen=True)
class Request:
    """One conversation to answer."""

    messages: Sequence[Message]
    max_tokens: int = 48


@dataclass
class Answer:
    """An answer, complete once `finish` is set: `stop` by the model itself, or `length`."""

    prompt: list[int]
    limit: int
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    finish: str | None = None

    def take(self, token: int, ends: frozenset[int]) -> None:
        """The model's next token."""
        if self.finish is None and token in ends:
            self.finish = "stop"
        elif self.finish is None:
            self.tokens.append(token)
            self.finish = "length" if len(self.tokens) >= self.limit else None


class Generator:
    """A model and its chat format."""

    def __init__(self, chat: Chat, decoder: Decoder) -> None:
        self.chat, self.decoder = chat, decoder

    def open(self, request: Request) -> Answer:
        """The empty answer to a request; ValueError when the conversation leaves no room for one."""
        prompt = self.chat.prompt(request.messages)
        room = self.decoder.max_positions - len(prompt)
        if not prompt or room < 1:
            raise ValueError(f"the conversation has {len(prompt)} tokens, at most {self.decoder.max_positions - 1} fit")
        return Answer(prompt, min(request.max_tokens, room))

    def run(self, answers: Sequence[Answer]) -> Iterator[None]:
        """Complete a batch of open answers; yields after every token, so that a caller can stream."""
        room = max(answer.limit for answer in answers)
        session = self.decoder.start([answer.prompt for answer in answers], room)
        while True:
            tokens = session.next_tokens()
            for answer, token in zip(answers, tokens, strict=True):
                answer.take(token, self.decoder.end_tokens)
            yield
            if all(answer.finish for answer in answers):
                return
            session.feed(tokens)

    def generate(self, requests: Sequence[Request], batch_size: int = 32) -> list[Answer]:
        """Answer all requests, in order."""
        answers = [self.open(request) for request in requests]
        for start in range(0, len(answers), batch_size):
            batch = answers[start : start + batch_size]
            for _ in self.run(batch):
                pass
            for answer in batch:
                answer.text = self.chat.text(answer.tokens)
        return answers
