"""The loop's own registry, as `signals.json` publishes it: what each declared signal takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from feedbackloop.api.collection import CLASSES, Signal, SignalClass, SignalKind
from feedbackloop.events.incoming import MAX_NUMBER, MAX_TEXT
from feedbackloop.events.validation.targets import ONLY_OF_OUTPUTS
from feedbackloop.events.validation.values import ANSWERS, CHOICES, DEFAULT_SCALE

Schema = dict[str, Any] | bool
_K = SignalKind
_NOTHING: Schema = {"type": "null"}
_TEXT: Schema = {"type": "string", "maxLength": MAX_TEXT, "pattern": r"\S"}

VALUES: dict[SignalKind, Callable[[Signal], Schema]] = {
    _K.THUMBS: lambda _: {"type": "boolean"},
    _K.ACCEPT: lambda _: {"type": "boolean"},
    _K.STARS: lambda signal: {"type": "integer", "minimum": 1, "maximum": signal.scale_max or DEFAULT_SCALE},
    _K.PREFERENCE: lambda _: {"enum": list(CHOICES)},
    _K.REASON: lambda signal: {"enum": list(signal.values or ())},
    _K.CORRECTION: lambda _: _TEXT,
    _K.COMMENT: lambda _: _TEXT,
    _K.QUESTION: lambda _: {"enum": list(ANSWERS)},
    _K.SKIP: lambda _: _NOTHING,
    _K.EXPOSURE: lambda _: _NOTHING,
    _K.DWELL: lambda _: {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
    _K.COPY: lambda _: {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
    _K.REGENERATE: lambda _: _NOTHING,
    _K.EDIT: lambda _: {"type": "number", "minimum": 0, "maximum": 1},
    _K.CONVERSION: lambda _: {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER},
    _K.FOLLOW_UP: lambda _: False,
    _K.ABANDONMENT: lambda _: False,
}
"""JSON Schema of `$.value` by kind. Integers are written without a fraction: `5`, not `5.0`."""

FIELDS: dict[SignalKind, tuple[str, ...]] = {
    _K.PREFERENCE: ("candidates",),
    _K.COPY: ("fraction",),
    _K.REGENERATE: ("new_output_id",),
    _K.CONVERSION: ("goal",),
}
"""Fields that only events of this kind have."""


def levels(kind: SignalKind) -> list[str]:
    """What signals of a kind may judge."""
    return ["output"] if kind in ONLY_OF_OUTPUTS else ["output", "turn", "session"]


def signal_entry(signal: Signal) -> dict[str, Any]:
    """One declared signal."""
    kind = signal.kind
    entry: dict[str, Any] = {
        "name": signal.name,
        "kind": kind.value,
        "class": CLASSES[kind].value,
        "value": VALUES[kind](signal),
        "levels": [] if CLASSES[kind] is SignalClass.COMPUTED else levels(kind),
        "fields": list(FIELDS.get(kind, ())),
    }
    if signal.dimension is not None:
        entry["dimension"] = signal.dimension.value
    if kind is SignalKind.CONVERSION and signal.values:
        entry["goals"] = list(signal.values)
    return entry


def signals_document(signals: Iterable[Signal]) -> dict[str, Any]:
    """The body of `signals.json`."""
    return {"schemaVersion": 1, "signals": [signal_entry(signal) for signal in signals]}
