"""What an event speaks of: one output, two of them, a turn or a session; and the fields that only some kinds have."""

from __future__ import annotations

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.events.incoming import IncomingFeedback, TrustedFeedback
from feedbackloop.events.records import Candidate
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation.codes import Code, Refusal

ONLY_OF_OUTPUTS = frozenset(
    {
        SignalKind.PREFERENCE,
        SignalKind.CORRECTION,
        SignalKind.COPY,
        SignalKind.ACCEPT,
        SignalKind.REGENERATE,
        SignalKind.EDIT,
    }
)
"""Kinds that say nothing about a turn or a session."""


def check_level(event: IncomingFeedback, kind: SignalKind, claims: Claims) -> None:
    """For events that are not about an output. Raises Refusal."""
    if kind in ONLY_OF_OUTPUTS:
        raise Refusal(Code.BAD_VALUE, "$.level")
    if event.output_id is not None:
        raise Refusal(Code.UNKNOWN_FIELD, "$.output_id")
    if event.level == "turn":
        if event.turn_id is None:
            raise Refusal(Code.MISSING_FIELD, "$.turn_id")
    elif event.turn_id is not None:
        raise Refusal(Code.UNKNOWN_FIELD, "$.turn_id")
    elif not claims.session:
        raise _without_session(event)


def _without_session(event: IncomingFeedback) -> Refusal:
    if isinstance(event, TrustedFeedback):
        return Refusal(Code.MISSING_FIELD, "$.session_id")
    return Refusal(Code.BAD_VALUE, "$.level")


def output_of(event: IncomingFeedback, claims: Claims) -> str:
    """The judged output. Raises Refusal."""
    given, outputs = event.output_id, claims.outputs
    if isinstance(event, TrustedFeedback):
        if given is None and not event.response_id and not (event.trace_id and event.span_id):
            raise Refusal(Code.MISSING_FIELD, "$.output_id")
        return given or ""
    if given is None:
        if len(outputs) != 1:
            raise Refusal(Code.MISSING_FIELD, "$.output_id")
        return outputs[0]
    if given not in outputs:
        raise Refusal(Code.UNKNOWN_OUTPUT, "$.output_id")
    return given


def candidates_of(event: IncomingFeedback, claims: Claims) -> tuple[Candidate, ...]:
    """The two sides of a preference. Raises Refusal."""
    sides = event.candidates
    if sides is None:
        raise Refusal(Code.MISSING_FIELD, "$.candidates")
    if event.output_id is not None:
        raise Refusal(Code.UNKNOWN_FIELD, "$.output_id")
    if len(sides) != 2 or sides[0].output_id == sides[1].output_id:
        raise Refusal(Code.BAD_VALUE, "$.candidates")
    if not isinstance(event, TrustedFeedback):
        for index, side in enumerate(sides):
            if side.output_id not in claims.outputs:
                raise Refusal(Code.UNKNOWN_OUTPUT, f"$.candidates[{index}].output_id")
    return tuple(Candidate(side.output_id, side.position) for side in sides)


def check_fields(event: IncomingFeedback, signal: Signal) -> None:
    """Fields that belong to one kind. Raises Refusal."""
    kind = signal.kind
    if event.candidates is not None and kind is not SignalKind.PREFERENCE:
        raise Refusal(Code.UNKNOWN_FIELD, "$.candidates")
    if event.fraction is not None and kind is not SignalKind.COPY:
        raise Refusal(Code.UNKNOWN_FIELD, "$.fraction")
    if event.new_output_id is not None:
        _check_replacement(event, kind)
    if event.goal is not None or kind is SignalKind.CONVERSION:
        _check_goal(event, signal)


def _check_replacement(event: IncomingFeedback, kind: SignalKind) -> None:
    if kind is not SignalKind.REGENERATE:
        raise Refusal(Code.UNKNOWN_FIELD, "$.new_output_id")
    if event.new_output_id == event.output_id:
        raise Refusal(Code.BAD_VALUE, "$.new_output_id")


def _check_goal(event: IncomingFeedback, signal: Signal) -> None:
    if signal.kind is not SignalKind.CONVERSION:
        raise Refusal(Code.UNKNOWN_FIELD, "$.goal")
    if signal.values and not event.retracted:
        if event.goal is None:
            raise Refusal(Code.MISSING_FIELD, "$.goal")
        if event.goal not in signal.values:
            raise Refusal(Code.BAD_VALUE, "$.goal")


def check_chain(event: IncomingFeedback) -> None:
    """`supersedes` and `retracted`. Raises Refusal."""
    if event.supersedes is None:
        if event.retracted:
            raise Refusal(Code.MISSING_FIELD, "$.supersedes")
    elif event.supersedes.lower() == event.event_id.lower():
        raise Refusal(Code.BAD_VALUE, "$.supersedes")
