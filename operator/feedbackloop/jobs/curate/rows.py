"""The rows that curation works on. They are plain values; where they come from is the edge's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.records import Message
from feedbackloop.jobs.curate.reasons import Reason


@dataclass(frozen=True, slots=True)
class Output:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """A prompt and what was answered."""

    event_id: str
    subject: str
    consent: bool | None
    """Consent to training: given, refused, or not said."""
    messages: tuple[Message, ...]
    outputs: tuple[Output, ...]
    received_at: int = 0
    """Unix milliseconds of the gateway's clock."""
    session: str = ""
    turn_id: str = ""
    parent_output_id: str = ""
    """The answer that this one replaces, when the app said so."""
    response_id: str = ""
    span: str = ""
    """`<trace id>/<span id>`, empty without one."""

    def text(self, output_id: str) -> str | None:
        return next((output.text for output in self.outputs if output.id == output_id), None)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One signal of one subject. `order` says which of two votes is the later one, whoever reads them first."""

    event_id: str
    order: tuple[int, str, int]
    """Received at (milliseconds), by which pod, as which record of its log: different for every event."""
    subject: str
    signal: str
    value: Any
    output_id: str | None
    candidates: tuple[str, ...] = ()
    consent: bool | None = None
    """The interaction's consent, after what this event withdrew."""
    level: str = "output"
    """What it judges: `output`, `turn` or `session`."""
    session: str = ""
    turn_id: str = ""
    supersedes: str = ""
    """The event id of the same subject's event that it replaces."""
    retracted: bool = False
    """It takes that event back and says nothing itself."""
    response_id: str = ""
    span: str = ""


class Prompt(NamedTuple):
    """What was asked: `text` the normalised question, `key` the normalised conversation that identifies it."""

    key: str
    text: str
    topics: tuple[str, ...]


class Joined(NamedTuple):
    event: Feedback
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class Vote:
    """A joined event of a declared signal."""

    event: Feedback
    kind: SignalKind
    interaction: Interaction
    prompt: Prompt
    answer: str = ""
    """The output's text; empty for a preference, which speaks of two."""

    @property
    def subject(self) -> str:
        return self.event.subject


class Excluded(NamedTuple):
    event: Feedback
    reason: Reason


@dataclass(frozen=True, slots=True)
class Row:
    """A row in the making, with the votes that support it."""

    prompt: Prompt
    messages: tuple[Message, ...]
    text: str
    topic: str
    votes: tuple[Vote, ...]

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(vote.subject for vote in self.votes)
