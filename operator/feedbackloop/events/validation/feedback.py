"""One feedback event against the loop's declared signals and its sender's claims."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from feedbackloop.api.collection import CLASSES, Signal, SignalClass, SignalKind
from feedbackloop.events.incoming import IncomingFeedback, utc_time
from feedbackloop.events.records import Candidate, Value
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation.codes import Code, Refusal
from feedbackloop.events.validation.targets import candidates_of, check_chain, check_fields, check_level, output_of
from feedbackloop.events.validation.values import VALUES


class Checked(msgspec.Struct, frozen=True, gc=False):
    """A valid event, its text not yet redacted."""

    kind: SignalKind
    value: Value
    output_id: str
    """The judged output; empty for a preference, a turn, a session, or where only other ids are known."""
    candidates: tuple[Candidate, ...]
    occurred_at: str


def check_feedback(
    event: IncomingFeedback, signals: Mapping[str, Signal], claims: Claims, *, private: bool = False
) -> Checked:
    """The event against the schema and the claims; `private` when the browser asks for privacy. Raises Refusal.

    A `TrustedFeedback` may name outputs that the claims do not.
    """
    signal = signals.get(event.signal)
    if signal is None:
        raise Refusal(Code.UNKNOWN_SIGNAL, "$.signal")
    kind = signal.kind
    if private and CLASSES[kind] is SignalClass.IMPLICIT:
        raise Refusal(Code.PRIVACY_SIGNAL, "$.signal")
    if event.stream != "unverified" and not claims.verified:
        raise Refusal(Code.FORBIDDEN, "$.stream")
    if event.supersedes is not None or event.retracted:
        check_chain(event)
    value = None
    if event.retracted:
        _check_taken_back(event, kind)
    else:
        value = VALUES[kind](signal, event.value)
    check_fields(event, signal)
    output_id, candidates = _target(event, kind, claims)
    return Checked(kind, value, output_id, candidates, "" if event.occurred_at is None else _time(event.occurred_at))


def _check_taken_back(event: IncomingFeedback, kind: SignalKind) -> None:
    """A retraction says nothing itself."""
    if CLASSES[kind] is SignalClass.COMPUTED:
        raise Refusal(Code.COMPUTED_SIGNAL, "$.signal")
    if event.value is not None:
        raise Refusal(Code.BAD_VALUE, "$.value")


def _target(event: IncomingFeedback, kind: SignalKind, claims: Claims) -> tuple[str, tuple[Candidate, ...]]:
    if event.level != "output":
        check_level(event, kind, claims)
        return "", ()
    if kind is SignalKind.PREFERENCE:
        bare = event.retracted and event.candidates is None
        return "", () if bare else candidates_of(event, claims)
    return output_of(event, claims), ()


def _time(text: str) -> str:
    moment = utc_time(text)
    if moment is None:
        raise Refusal(Code.MALFORMED, "$.occurred_at")
    return moment
