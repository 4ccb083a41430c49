"""What computed signals are made from, and what they are."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.records import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request. Times are Unix milliseconds of the gateway's clock."""

    at: int
    output_id: str
    session: str
    subject: str
    question: str
    """The last message of the user, redacted."""
    answer: str
    parent_output_id: str = ""
    """The answer that the app said this one replaces."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person did in a session besides asking: a vote, a copy, a visit."""

    at: int
    session: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A corrected answer."""

    at: int
    output_id: str
    session: str
    subject: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A computed signal."""

    kind: SignalKind
    value: Value
    at: int
    output_id: str
    """The answer that it is about."""
    session: str
    subject: str
    detail: str = ""
    """The version of the rules of a FollowUp, the new output of a Regenerate."""
