"""The records of the log, one model for gateway and jobs.

A record holds redacted text and pseudonyms only. It evolves additively: new fields have
defaults, old ones keep their meaning. Times are Unix milliseconds of the gateway's clock,
which never runs backwards within one log.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

Value = bool | int | float | str | None


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
    model_version: str = ""
    """As the app or its spans name it; the proxy knows the digest (`Serving.digest`)."""
    locale: str = ""
    client: str = ""


class Exposure(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the question was put, for bias corrections: the `ui` object of an event."""

    exposure_id: str = ""
    variant: str = ""
    question_id: str = ""
    trigger: str = ""
    reason_order: tuple[str, ...] = ()
    solicit_p: float = 1.0
    """The probability with which this user was asked."""


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
    streamed: bool = False
    """The answer came piece by piece."""
    first_token_ms: int | None = None
    """Until the first piece of content of a streamed answer; unset while there was none."""
    refused: bool = False
    """The answer declines, by the list of phrases."""
    empty: bool = False
    """The answer has neither text nor a tool call."""
    cancelled: bool = False
    """The client went away before the answer's end: no error of anybody."""
    by_header: bool = False
    """A header sent the request to the canary: its session counts in neither arm, and it is nobody's traffic."""
    reported: bool = False
    """Another router had split it, and the app reported whose answer it is: latency and errors are not known."""
    elsewhere: bool = False
    """Another pod answered and counts it as traffic; this log has the record because it owns the session."""

    @property
    def uncounted(self) -> bool:
        """The session counts in neither arm from here on: it saw an arm that is not its own."""
        return self.fallback or self.by_header


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
    tenant: str = ""
    """Pseudonym of the tenant, empty without one."""
    channel: str = ""
    """How it came: `proxy`, `api`, `otlp` or `import`."""
    parent_output_id: str = ""
    """The answer that this one replaces, after a regeneration."""
    trace_id: str = ""
    span_id: str = ""
    response_id: str = ""
    """The model server's own id of the answer."""


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
    level: str = "output"
    """What is judged: `output`, `turn` or `session`."""
    turn_id: str = ""
    dimension: str = ""
    """`Dimension` of the signal."""
    supersedes: str = ""
    """The event id of the same subject's earlier event that this one replaces."""
    retracted: bool = False
    """The superseded event is taken back and nothing takes its place."""
    detail: str = ""
    """Of a Conversion its goal, of a Regenerate the new output's id, of a computed kind its classifier's version."""
    fraction: float = 0.0
    """Of a Copy: the share of the answer that was copied."""
    ui: Exposure | None = None
    stream: str = "unverified"
    """`verified` when an authorised annotator said it."""
    source: str = "END_USER"
    """`END_USER`, `ANNOTATOR`, `LLM_JUDGE` or `CODE` (MLflow's and OpenTelemetry's words)."""
    channel: str = ""
    """How it came: `token`, `api`, `otlp`, `import`, `replay` or `computed`."""
    tenant: str = ""
    orphan: bool = False
    """Its interaction was not known to the pod when it came."""
    response_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    by_header: bool = False
    """About an answer that a header had sent to the canary: no outcome counts it."""


class ShadowAnswer(Struct, frozen=True, omit_defaults=True):
    """One side of a shadow pair."""

    content: str
    """Redacted; of several choices the first."""
    digest: str = ""
    """Of the model that gave it."""
    latency_ms: int = 0
    """Until the answer's end."""


class ShadowPairRecord(Struct, frozen=True, tag="shadow", omit_defaults=True):
    """One request of a user and two answers to it: the one that was shown, and the candidate's, which nobody saw.

    It is no interaction: nobody can give feedback on it, it opens no unit, and nothing trains on it.
    """

    event_id: str
    received_at: int
    subject: str
    """Pseudonym (32 hex digits) of the user; the record lies under this subject's key."""
    messages: tuple[Message, ...]
    stable: ShadowAnswer
    shadow: ShadowAnswer
    run_uid: str = ""
    epoch: int = 0
    session: str = ""
    """Pseudonym of the session, empty without one."""
    tenant: str = ""
    consent: bool | None = None
    """Consent to training when it was asked: given, refused, or not said."""
    pod: str = ""
    seq: int = 0


class ConsentRecord(Struct, frozen=True, tag="consent", omit_defaults=True):
    """An entry of the consent ledger. The newest one of a (subject, purpose) holds."""

    event_id: str
    received_at: int
    subject: str
    purpose: str
    """`Purpose`"""
    state: str
    """`given`, `refused` or `withdrawn`."""
    source: str
    """`Source` of `events.ledger.consents`: `app`, `interaction`, `body`, `token`, `browser` or `operator`."""
    policy_version: str = ""
    policy_sha256: str = ""
    """Of the text that the gateway served then."""
    pod: str = ""
    seq: int = 0


class AuditRecord(Struct, frozen=True, tag="audit", omit_defaults=True):
    """Something that was done, for the audit log: names, digests and pseudonyms only."""

    received_at: int
    action: str
    """Such as `config.applied`, `key.created`, `key.rotated`, `badrows.replayed`, `drained`."""
    actor: str = ""
    detail: dict[str, str] = {}
    pod: str = ""
    seq: int = 0


class LostRecord(Struct, frozen=True, tag="lost"):
    """Stands in the log for a record that was damaged on the volume, so that the numbers stay without gaps."""

    received_at: int = 0
    pod: str = ""
    seq: int = 0


class ErasedRecord(Struct, frozen=True, tag="erased"):
    """What readers see in place of a record whose subject's key was destroyed, and says so."""

    received_at: int = 0
    pod: str = ""
    seq: int = 0


Record = InteractionRecord | FeedbackRecord | ShadowPairRecord | ConsentRecord | AuditRecord | LostRecord | ErasedRecord


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
    session: str = ""
    arm: str = ""
    run_uid: str = ""
    epoch: int = 0
    started_at: int = 0
    consent: bool | None = None
    tenant: str = ""
    stream: str = "unverified"
    channel: str = ""
    by_header: bool = False


def placed(record: Record, pod: str, seq: int) -> Record:
    """The record with its place in the log, as readers give it out."""
    return msgspec.structs.replace(record, pod=pod, seq=seq)
