"""What clients send, as strict structs: unknown fields and wrong types do not decode."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from feedbackloop.events.records import Candidate

MAX_TEXT = 4096
"""Characters of a comment or correction."""
MAX_ID = 200
"""Characters of an id or a context value."""
MAX_EVENTS, MAX_OUTPUTS, MAX_RATERS, MAX_MESSAGES = 50, 8, 16, 500

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", re.ASCII)


class ConsentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Consent as a body states it."""

    train: bool


class IncomingFeedback(Struct, frozen=True, forbid_unknown_fields=True):
    """One event of `POST /v1/feedback`."""

    event_id: str
    signal: str
    value: Any = None
    output_id: str | None = None
    candidates: tuple[Candidate, ...] | None = None
    occurred_at: str | None = None
    consent: ConsentBody | None = None


class IncomingMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A message of a posted interaction."""

    role: str
    content: str


class IncomingOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer of a posted interaction."""

    output_id: str
    content: str


class IncomingContext(Struct, frozen=True, forbid_unknown_fields=True):
    """The context of a posted interaction."""

    prompt_template: str = ""
    segment: str = ""
    region: str = ""
    retrieval: tuple[str, ...] = ()


class IncomingInteraction(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/interactions`."""

    event_id: str
    session_id: str
    messages: tuple[IncomingMessage, ...]
    outputs: tuple[IncomingOutput, ...]
    turn_id: str | None = None
    subject_id: str | None = None
    consent: ConsentBody | None = None
    raters: tuple[str, ...] = ()
    context: IncomingContext = IncomingContext()


class EventBatch(Struct, frozen=True):
    """`{"events": [...]}`, each event still undecoded so that one bad event spoils no other."""

    events: list[msgspec.Raw] | UnsetType = UNSET


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in its usual form (RFC 9562)."""
    return _UUID.fullmatch(text) is not None


def utc_time(text: str) -> str | None:
    """An RFC 3339 time in UTC, or None when it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC).isoformat()
