"""The records of the log, one model for gateway and jobs.

A record holds redacted text and pseudonyms only. It evolves additively: new fields have
defaults, old ones keep their meaning. Times are Unix milliseconds of the gateway's clock,
which never runs backwards within one log.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

Value = bool | str | None


class Message(Struct, frozen=True):
    """One message of a conversation; `content` is text (parts of other kinds are not kept)."""

    role: str
    content: str = ""


class Output(Struct, frozen=True):
    """One answer that was shown to a user."""

    output_id: str
    content: str = ""


class Candidate(Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a preference and the place where it was shown."""

    output_id: str
    position: int = 0


class Context(Struct, frozen=True, omit_defaults=True):
    """What the app said about a turn, redacted."""

    turn_id: str = ""
    prompt_template: str = ""
    """`id@version`"""
    segment: str = ""
    region: str = ""
    retrieval: tuple[str, ...] = ()
    """Ids of the retrieved documents."""


class Serving(Struct, frozen=True, omit_defaults=True):
    """Who answered a proxied request, and how it counts."""

    run_uid: str = ""
    epoch: int = 0
    arm: str = "stable"
    """The arm that answered."""
    assigned: str = "stable"
    """The arm that the session belongs to; another one answered when `fallback`."""
    digest: str = ""
    latency_ms: int = 0
    """Until the answer's end, or until its first byte when it was streamed."""
    status: int = 200
    fallback: bool = False
    """The assigned arm had no endpoint or no connection (with `status` 503: nor had the fallback)."""
    warm_up: bool = False
    """Among the first requests of a new pod: not counted as traffic."""
    counted: bool = False
    """The request carried a session id, so that it may open a unit."""
    broken: bool = False
    """The server broke the answer off after its first byte."""


class InteractionRecord(Struct, frozen=True, tag="interaction", omit_defaults=True):
    """One request and its answers."""

    event_id: str
    received_at: int
    subject: str
    """Pseudonym (32 hex digits) of the user."""
    messages: tuple[Message, ...]
    outputs: tuple[Output, ...]
    session: str = ""
    """Pseudonym of the session, empty without one."""
    raters: tuple[str, ...] = ()
    """Pseudonyms of those who may rate it, when others than the subject."""
    consent: bool | None = None
    """Consent to training: given, refused, or not said."""
    context: Context = Context()
    serving: Serving | None = None
    """Unset for an answer that was served elsewhere."""
    fingerprint: int = 0
    """Of the body under this event id: tells a repetition from another event."""
    pod: str = ""
    """Set by readers: whose log it is from."""
    seq: int = 0
    """Set by readers: the record's number in that log, from 1 on."""


class FeedbackRecord(Struct, frozen=True, tag="feedback", omit_defaults=True):
    """One signal about an output, or about a pair of them."""

    event_id: str
    received_at: int
    subject: str
    signal: str
    kind: str
    """`SignalKind`"""
    value: Value = None
    output_id: str = ""
    """The rated output; empty for a preference."""
    candidates: tuple[Candidate, ...] = ()
    """The two sides of a preference, a first."""
    session: str = ""
    arm: str = ""
    run_uid: str = ""
    epoch: int = 0
    started_at: int = 0
    """When the answer was given, Unix milliseconds."""
    occurred_at: str = ""
    """The client's clock, RFC 3339 in UTC; never used for decisions."""
    consent: bool | None = None
    """Consent of the interaction, after what the body withdrew."""
    trainable: bool = False
    """A Thumbs, Correction or Preference with consent, or where none is required."""
    fingerprint: int = 0
    pod: str = ""
    seq: int = 0


class LostRecord(Struct, frozen=True, tag="lost"):
    """Stands in the log for a record that was damaged on the volume, so that the numbers stay without gaps."""

    received_at: int = 0
    pod: str = ""
    seq: int = 0


Record = InteractionRecord | FeedbackRecord | LostRecord


class BadRow(Struct, frozen=True, tag="bad", omit_defaults=True):
    """An event that the loop's schema refused: kept, redacted, with the reason."""

    bad_row_id: str
    received_at: int
    code: str
    path: str
    raw: str
    """The event as JSON with every string and key redacted, or redacted text when it was no JSON."""
    event_id: str = ""
    """Set when it is a well-formed UUID."""
    source: str = "feedback"
    """`feedback` or `interaction`"""
    subject: str = ""
    outputs: tuple[str, ...] = ()
    pod: str = ""
    seq: int = 0


def placed(record: Record, pod: str, seq: int) -> Record:
    """The record with its place in the log, as readers give it out."""
    return msgspec.structs.replace(record, pod=pod, seq=seq)
