"""Items: one a line, `{"id", "topic", "messages"}` with what its scorer needs, and the topics they declare.

Golden files, users' suites, held-out corrections and the probes are all items of this form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from feedbackloop.events.records import Message
from feedbackloop.jobs.declared import fetched, parsed
from feedbackloop.jobs.storage import Store
from feedbackloop.jobs.text import contains_words, normalise

Word = Annotated[str, Meta(min_length=1)]


class GoldenItem(Struct, frozen=True, omit_defaults=True):
    """A question, and how right answers to it are known."""

    id: Word
    topic: Word
    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    answers: Annotated[tuple[Word, ...], Meta(min_length=1)] = ()
    """Right answers; of a memorisation item what follows in the training row."""
    match: tuple[str, ...] = ()
    intent: str = ""
    """Items of one intent are one cluster; an item without one is a cluster of its own."""
    json_schema: dict[str, Any] | None = msgspec.field(default=None, name="schema")
    """What `valid_json` validates the answer against."""
    counterpart: tuple[Message, ...] = ()
    """The same question with another name, gender or region: both are answered, and the pair is one item."""


_decoder = msgspec.json.Decoder(GoldenItem)


def fetch(store: Store, key: str, digest: str) -> tuple[GoldenItem, ...]:
    """The items of a golden file, of exactly the bytes that the loop declares."""
    missing = "there is no such golden file in the bucket; upload it or correct objectName"
    return parse(fetched(store, key, digest, missing=missing, declarer="the loop"), key)


def parse(data: bytes, name: str) -> tuple[GoldenItem, ...]:
    """The items of a file; the error names the line, never its text."""
    return parsed(data, name, _decoder, "items")


def question(messages: Iterable[Message]) -> str:
    """What is asked, normalised: the last message of the user."""
    asked = [message.content for message in messages if message.role == "user"]
    return normalise(asked[-1]) if asked else ""


def conversation(messages: Iterable[Message]) -> str:
    """All that was said, normalised, a message a line. Instructions of the system are not part of it."""
    return "\n".join(normalise(message.content) for message in messages if message.role != "system").strip()


@dataclass(frozen=True)
class Topics:
    """The declared topics by the words that a prompt of theirs contains."""

    words: tuple[tuple[str, str], ...] = ()
    """(normalised words, topic), in order."""

    @classmethod
    def of(cls, items: Iterable[GoldenItem]) -> Topics:
        pairs = {(normalise(words), item.topic) for item in items for words in item.match}
        return cls(tuple(sorted(pair for pair in pairs if pair[0])))

    def find(self, asked: str, otherwise: str) -> tuple[str, ...]:
        """The topics of a normalised question; `otherwise` is its own topic when none is declared for it."""
        found = {topic for words, topic in self.words if contains_words(asked, words)}
        return tuple(sorted(found)) or (otherwise,)

    def match(self, topic: str) -> list[str]:
        return [words for words, name in self.words if name == topic]
