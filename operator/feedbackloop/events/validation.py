"""Validation against the loop's declared signals: an accepted event, or a refusal with code and JSON path.

Messages are fixed texts; nothing of the input is ever in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.events.incoming import MAX_TEXT, IncomingFeedback, is_uuid, utc_time
from feedbackloop.events.records import Candidate, Value


class Code(StrEnum):
    """Why an event was refused."""

    UNKNOWN_SIGNAL = "unknown_signal"
    BAD_VALUE = "bad_value"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_OUTPUT = "unknown_output"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    CONFLICT = "conflict"


MESSAGES = {
    Code.UNKNOWN_SIGNAL: "the loop declares no signal of this name",
    Code.BAD_VALUE: "the value does not fit the signal's kind",
    Code.MISSING_FIELD: "a required field is missing",
    Code.UNKNOWN_FIELD: "the schema has no such field here",
    Code.UNKNOWN_OUTPUT: "the token is not about this output",
    Code.MALFORMED: "wrong type or form",
    Code.TOO_LARGE: "larger than allowed",
    Code.CONFLICT: "this event_id was used before with another body",
}


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """An event that becomes a bad row."""

    def __init__(self, code: Code, path: str) -> None:
        super().__init__(f"{code} at {path}")
        self.code, self.path = code, path

    @property
    def message(self) -> str:
        return MESSAGES[self.code]

    def below(self, parent: str) -> Refusal:
        """The same refusal, its path (which starts with `$`) moved below a parent."""
        return Refusal(self.code, parent + self.path[1:])


class Checked(msgspec.Struct, frozen=True):
    """A valid event, its text not yet redacted."""

    kind: SignalKind
    value: Value
    output_id: str
    candidates: tuple[Candidate, ...]
    occurred_at: str


def check_feedback(event: IncomingFeedback, signals: Mapping[str, Signal], outputs: Sequence[str]) -> Checked:
    """The event against the schema and its token's outputs. Raises Refusal."""
    if not is_uuid(event.event_id):
        raise Refusal(Code.MALFORMED, "$.event_id")
    signal = signals.get(event.signal)
    if signal is None:
        raise Refusal(Code.UNKNOWN_SIGNAL, "$.signal")
    _VALUES[signal.kind](signal, event.value)
    candidates = _candidates(event, signal.kind, outputs)
    return Checked(
        kind=signal.kind,
        value=event.value,
        output_id="" if candidates else _output(event.output_id, outputs),
        candidates=candidates,
        occurred_at=_time(event.occurred_at),
    )


def _thumbs(_signal: Signal, value: Any) -> None:
    if value is not True and value is not False:
        raise Refusal(Code.BAD_VALUE if value is not None else Code.MISSING_FIELD, "$.value")


def _reason(signal: Signal, value: Any) -> None:
    if value is None:
        raise Refusal(Code.MISSING_FIELD, "$.value")
    if not isinstance(value, str) or value not in (signal.values or ()):
        raise Refusal(Code.BAD_VALUE, "$.value")


def _text(_signal: Signal, value: Any) -> None:
    if value is None:
        raise Refusal(Code.MISSING_FIELD, "$.value")
    if not isinstance(value, str) or not value.strip():
        raise Refusal(Code.BAD_VALUE, "$.value")
    if len(value) > MAX_TEXT:
        raise Refusal(Code.TOO_LARGE, "$.value")


def _preference(_signal: Signal, value: Any) -> None:
    if value is None:
        raise Refusal(Code.MISSING_FIELD, "$.value")
    if not isinstance(value, str) or value not in ("a", "b", "tie", "both_bad"):
        raise Refusal(Code.BAD_VALUE, "$.value")


def _nothing(_signal: Signal, value: Any) -> None:
    if value is not None:
        raise Refusal(Code.BAD_VALUE, "$.value")


_VALUES: dict[SignalKind, Callable[[Signal, Any], None]] = {
    SignalKind.THUMBS: _thumbs,
    SignalKind.REASON: _reason,
    SignalKind.CORRECTION: _text,
    SignalKind.COMMENT: _text,
    SignalKind.PREFERENCE: _preference,
    SignalKind.EXPOSURE: _nothing,
}


def _candidates(event: IncomingFeedback, kind: SignalKind, outputs: Sequence[str]) -> tuple[Candidate, ...]:
    if kind is not SignalKind.PREFERENCE:
        if event.candidates is not None:
            raise Refusal(Code.UNKNOWN_FIELD, "$.candidates")
        return ()
    if event.candidates is None:
        raise Refusal(Code.MISSING_FIELD, "$.candidates")
    return _pair(event.candidates, outputs)


def _pair(candidates: tuple[Candidate, ...], outputs: Sequence[str]) -> tuple[Candidate, ...]:
    if len(candidates) != 2 or candidates[0].output_id == candidates[1].output_id:
        raise Refusal(Code.BAD_VALUE, "$.candidates")
    for index, candidate in enumerate(candidates):
        if candidate.output_id not in outputs:
            raise Refusal(Code.UNKNOWN_OUTPUT, f"$.candidates[{index}].output_id")
        if not 0 <= candidate.position < 1000:
            raise Refusal(Code.MALFORMED, f"$.candidates[{index}].position")
    return candidates


def _output(output_id: str | None, outputs: Sequence[str]) -> str:
    if output_id is None:
        if len(outputs) != 1:
            raise Refusal(Code.MISSING_FIELD, "$.output_id")
        return outputs[0]
    if output_id not in outputs:
        raise Refusal(Code.UNKNOWN_OUTPUT, "$.output_id")
    return output_id


def _time(text: str | None) -> str:
    if text is None:
        return ""
    moment = utc_time(text) if len(text) <= 40 else None
    if moment is None:
        raise Refusal(Code.MALFORMED, "$.occurred_at")
    return moment


def explain(raw: Any, model: type[msgspec.Struct]) -> Refusal:
    """Why a JSON value does not decode as `model`: the first missing, unknown or malformed field."""
    if not isinstance(raw, dict):
        return Refusal(Code.MALFORMED, "$")
    fields = {field.encode_name: field for field in msgspec.structs.fields(model)}
    for name, field in fields.items():
        if field.required and name not in raw:
            return Refusal(Code.MISSING_FIELD, f"$.{name}")
    if any(name not in fields for name in raw):
        return Refusal(Code.UNKNOWN_FIELD, "$")
    for name, field in fields.items():
        if name in raw and not _fits(raw[name], field.type):
            return Refusal(Code.MALFORMED, f"$.{name}")
    return Refusal(Code.MALFORMED, "$")


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
