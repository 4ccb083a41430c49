"""A log that a test writes line by line, and what curation makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.events.records import Message
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.dataset import DataSet, curate
from feedbackloop.jobs.curate.files import Bundle, bundle
from feedbackloop.jobs.curate.rows import Feedback, Interaction, Output
from feedbackloop.jobs.golden import GoldenItem

SIGNALS = (
    Signal(name="helpful", kind=SignalKind.THUMBS),
    Signal(name="why", kind=SignalKind.REASON, values=("inaccurate", "other")),
    Signal(name="fix", kind=SignalKind.CORRECTION),
    Signal(name="note", kind=SignalKind.COMMENT),
    Signal(name="prefer", kind=SignalKind.PREFERENCE),
    Signal(name="shown", kind=SignalKind.EXPOSURE),
)
CONFIG = Config(signals=SIGNALS)


def golden(topic: str, *questions: str, match: Iterable[str], answer: str = "x") -> list[GoldenItem]:
    return [
        GoldenItem(f"{topic}-{i}", topic, (Message("user", text),), (answer,), tuple(match))
        for i, text in enumerate(questions)
    ]


@dataclass
class Log:
    """Events get their time by the order in which they are written."""

    interactions: list[Interaction] = field(default_factory=list)
    events: list[Feedback] = field(default_factory=list)
    config: Config = CONFIG
    golden: list[GoldenItem] = field(default_factory=list)

    def ask(self, prompt: str, *answers: str, subject: str = "author", consent: bool | None = True, **more: Any) -> str:
        """Log an interaction; the id of its first output."""
        n = len(self.interactions)
        outputs = tuple(Output(f"o{n}.{i}", text) for i, text in enumerate(answers or ("an answer",)))
        made = Interaction(f"i{n}", subject, consent, (Message("user", prompt),), outputs)
        self.interactions.append(replace(made, **more))
        return outputs[0].id

    def send(self, subject: str, output: str, signal: str, value: Any = None, **more: Any) -> str:
        """Log an event; its id."""
        n = len(self.events)
        consent = more.pop("consent", True)
        event = Feedback(f"e{n}", (n, "gateway-0", n), subject, signal, value, output, consent=consent)
        self.events.append(replace(event, **more))
        return self.events[-1].event_id

    def prefer(self, subject: str, first: str, second: str, value: str) -> str:
        return self.send(subject, "", "prefer", value, output_id=None, candidates=(first, second))

    def correct(self, prompt: str, text: str, subjects: Iterable[str], answer: str = "an answer") -> list[str]:
        """Each subject asks, gets the answer and corrects it."""
        return [self.send(s, self.ask(prompt, answer, subject=s), "fix", text) for s in subjects]

    def like(self, prompt: str, answer: str, subjects: Iterable[str], value: bool = True) -> list[str]:
        return [self.send(s, self.ask(prompt, answer, subject=s), "helpful", value) for s in subjects]

    def shuffled(self, seed: int) -> Log:
        rng = random.Random(seed)
        interactions, events = list(self.interactions), list(self.events)
        rng.shuffle(interactions)
        rng.shuffle(events)
        return Log(interactions, events, self.config, self.golden)

    def with_(self, **changes: Any) -> Log:
        ratio = {k: Decimal(v) if isinstance(v, str) else v for k, v in changes.items()}
        return Log(self.interactions, self.events, replace(self.config, **ratio), self.golden)

    def curate(self) -> DataSet:
        return curate(self.interactions, self.events, {"golden": self.golden}, self.config)


def reasons(data: DataSet) -> dict[str, str]:
    """Why each event was left out, by its id."""
    return {e.event.event_id: str(e.reason) for e in data.excluded}


def used(data: DataSet) -> set[str]:
    rows = (*data.training.rows, *data.training.regressions, *data.pairs)
    return {vote.event.event_id for row in rows for vote in row.votes}


def rows(made: Bundle, path: str) -> list[Any]:
    return [json.loads(line) for line in made.files[path].splitlines()]


def pack(log: Log) -> Bundle:
    return bundle(log.curate())
