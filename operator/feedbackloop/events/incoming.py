"""What clients send, as strict structs: unknown fields, wrong types and wrong forms do not decode.

These structs are the one source of the schema: the decoder, the published JSON Schema and the documentation are
made from them (`events/schema`). They evolve additively: a new field has a default, an old one keeps its meaning.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

MAX_TEXT = 4096
"""Characters of a comment or correction."""
MAX_ID = 200
"""Characters of an id or a context value."""
MAX_EVENTS, MAX_LINES, MAX_OUTPUTS, MAX_RATERS, MAX_MESSAGES = 50, 500, 8, 16, 500
MAX_HINTS, MAX_CODES, MAX_DOCUMENTS, MAX_POSITION = 16, 32, 100, 999
MAX_NUMBER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259 §6)."""

# A pattern is searched for, and Python's `$` also matches before a line break at the end, so this end says "nothing
# more" in Python and in ECMA 262 alike.
_END = r"(?![\s\S])"
_HEX = "[0-9a-fA-F]"
UUID_PATTERN = rf"^{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}{_END}"
TOKEN_PATTERN = rf"^[A-Za-z0-9._:-]{{1,200}}{_END}"
TIME_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})" + _END
)

Uuid = Annotated[str, Meta(pattern=UUID_PATTERN, max_length=36)]
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
"""An id of the app's: any text, stored as it is when nothing private is in it, else as a pseudonym."""
OptionalId = Annotated[str, Meta(max_length=MAX_ID)]
Token = Annotated[str, Meta(pattern=TOKEN_PATTERN, max_length=MAX_ID)]
"""A machine's word: letters, digits and `._:-`."""
OptionalToken = Annotated[str, Meta(pattern=TOKEN_PATTERN.replace("{1,200}", "{0,200}"), max_length=MAX_ID)]
Share = Annotated[float, Meta(ge=0, le=1)]
Time = Annotated[str, Meta(pattern=TIME_PATTERN, max_length=40)]
Integer = Annotated[int, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Number = Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Level = Literal["output", "turn", "session"]
Stream = Literal["unverified", "verified"]
Source = Literal["END_USER", "ANNOTATOR", "LLM_JUDGE", "CODE"]

_UUID = re.compile(UUID_PATTERN)


class ConsentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Consent as a body states it."""

    train: bool
    """Whether this may be used for training. With a feedback token only `false` has an effect."""


class IncomingCandidate(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of a preference."""

    output_id: Id
    position: Annotated[int, Meta(ge=0, le=MAX_POSITION)] = 0
    """The place where it was shown, from 0 on."""


class IncomingUi(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the question was put."""

    exposure_id: OptionalToken = ""
    """Of the display that this answers, the same in its Exposure event."""
    variant: OptionalToken = ""
    """Of an experiment with the form itself."""
    question_id: OptionalToken = ""
    trigger: OptionalToken = ""
    """What made the form appear, such as `copy` or `session_end`."""
    reason_order: Annotated[tuple[Token, ...], Meta(max_length=MAX_CODES)] = ()
    """The codes in the order in which they were shown."""
    solicit_p: Share = 1.0
    """The probability with which this user was asked."""


class IncomingFeedback(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One event: one signal about an output, a turn, a session, or a pair of outputs."""

    event_id: Uuid
    """Made by the client (UUIDv7 by preference): the same id again is the same event."""
    signal: Annotated[str, Meta(max_length=MAX_ID)]
    """The name of one of the loop's signals."""
    value: bool | Integer | Number | Text | None = None
    """What was said or seen; its type is that of the signal's kind."""
    output_id: Id | None = None
    """The judged output; may be left out when the token is about one only."""
    candidates: Annotated[tuple[IncomingCandidate, ...], Meta(max_length=2)] | None = None
    """The two sides of a preference, a first."""
    occurred_at: Time | None = None
    """The client's clock, RFC 3339."""
    consent: ConsentBody | None = None
    level: Level = "output"
    """What is judged: the output, the turn, or the whole session."""
    turn_id: Id | None = None
    """The judged turn, when the level is `turn`."""
    supersedes: Uuid | None = None
    """An earlier event of the same subject that this one replaces."""
    retracted: bool = False
    """The superseded event is taken back and nothing takes its place."""
    ui: IncomingUi | None = None
    goal: Token | None = None
    """What was reached, of a Conversion."""
    fraction: Share | None = None
    """The share of the answer that was copied, of a Copy."""
    new_output_id: Id | None = None
    """The answer that replaced this one, of a Regenerate."""
    redact_hints: Annotated[tuple[Annotated[str, Meta(min_length=2, max_length=MAX_ID)], ...],
                            Meta(max_length=MAX_HINTS)] = ()  # fmt: skip
    """Private texts that the caller knows of: replaced wherever they stand in the event, and never stored."""
    stream: Stream = "unverified"
    """`verified` needs an annotator's token."""


class TrustedFeedback(IncomingFeedback, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One event from a server that holds the app token: it also says whose it is."""

    subject_id: OptionalId = ""
    session_id: OptionalId = ""
    tenant_id: OptionalId = ""
    response_id: OptionalId = ""
    """The model server's own id of the answer."""
    trace_id: OptionalToken = ""
    span_id: OptionalToken = ""
    source: Source = "END_USER"
    """Who judged: a user, an annotator, a model or a program. What no person said never starts a training."""


class IncomingMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A message of a posted interaction."""

    role: str
    content: str


class IncomingOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer of a posted interaction."""

    output_id: Id
    content: str


class IncomingContext(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The context of a posted interaction."""

    prompt_template: OptionalId = ""
    """`id@version`"""
    segment: OptionalId = ""
    region: OptionalId = ""
    retrieval: Annotated[tuple[Id, ...], Meta(max_length=MAX_DOCUMENTS)] = ()
    """Ids of the retrieved documents."""
    model_version: OptionalId = ""
    locale: OptionalId = ""
    client: OptionalId = ""


class IncomingInteraction(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer that was served elsewhere: what was asked, what was answered, and who may rate it."""

    event_id: Uuid
    session_id: OptionalId
    messages: Annotated[tuple[IncomingMessage, ...], Meta(min_length=1, max_length=MAX_MESSAGES)]
    outputs: Annotated[tuple[IncomingOutput, ...], Meta(min_length=1, max_length=MAX_OUTPUTS)]
    turn_id: OptionalId | None = None
    subject_id: OptionalId | None = None
    consent: ConsentBody | None = None
    raters: Annotated[tuple[Id, ...], Meta(max_length=MAX_RATERS)] = ()
    """Who may rate it, when others than the subject: each gets a token of its own."""
    context: IncomingContext = IncomingContext()
    tenant_id: OptionalId = ""
    parent_output_id: OptionalId = ""
    """The answer that this one replaces, after a regeneration."""
    redact_hints: Annotated[tuple[Annotated[str, Meta(min_length=2, max_length=MAX_ID)], ...],
                            Meta(max_length=MAX_HINTS)] = ()  # fmt: skip
    """Private texts that the caller knows of: replaced wherever they stand, and never stored."""
    response_id: OptionalId = ""
    """The model server's own id of the answer."""
    trace_id: OptionalToken = ""
    span_id: OptionalToken = ""


class EventBatch(Struct, frozen=True):
    """`{"events": [...]}`, each event still undecoded so that one bad event spoils no other."""

    events: list[msgspec.Raw] | UnsetType = UNSET


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in its usual form (RFC 9562)."""
    return _UUID.match(text) is not None


def utc_time(text: str) -> str | None:
    """An RFC 3339 time in UTC, or None when there is no such moment."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None
