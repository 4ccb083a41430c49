"""The value of an event by the kind of its signal: strict about types, so that `true` is no 1 and `"5"` no 5."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.events.incoming import MAX_NUMBER, MAX_TEXT
from feedbackloop.events.records import Value
from feedbackloop.events.validation.codes import Code, Refusal

DWELL_CAP = 3_600_000
"""Milliseconds: a longer look is a forgotten window."""
DEFAULT_SCALE = 5
CHOICES = ("a", "b", "tie", "both_bad")
ANSWERS = ("yes", "no", "unsure")

Check = Callable[[Signal, Any], Value]


def _bad() -> Refusal:
    return Refusal(Code.BAD_VALUE, "$.value")


def _said(check: Check) -> Check:
    """A kind that has a value: none at all is a missing field."""

    def checked(signal: Signal, value: Any) -> Value:
        if value is None:
            raise Refusal(Code.MISSING_FIELD, "$.value")
        return check(signal, value)

    return checked


def _boolean(_signal: Signal, value: Any) -> Value:
    if value is True or value is False:
        return bool(value)
    raise _bad() if value is not None else Refusal(Code.MISSING_FIELD, "$.value")


def _integer(least: int, value: Any) -> int:
    # `type(...) is`: a bool is an int to `isinstance`.
    if type(value) is not int or not least <= value <= MAX_NUMBER:
        raise _bad()
    return value


def _stars(signal: Signal, value: Any) -> Value:
    if _integer(1, value) > (signal.scale_max or DEFAULT_SCALE):
        raise _bad()
    return int(value)


def _dwell(_signal: Signal, value: Any) -> Value:
    return min(_integer(0, value), DWELL_CAP)


def _copy(_signal: Signal, value: Any) -> Value:
    return _integer(0, value)


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _bad()
    return float(value)


def _edit(_signal: Signal, value: Any) -> Value:
    number = _number(value)
    if not 0 <= number <= 1:
        raise _bad()
    return number


def _conversion(_signal: Signal, value: Any) -> Value:
    return _number(value)


def _reason(signal: Signal, value: Any) -> Value:
    return _one_of(signal.values or (), value)


def _preference(_signal: Signal, value: Any) -> Value:
    return _one_of(CHOICES, value)


def _question(_signal: Signal, value: Any) -> Value:
    return _one_of(ANSWERS, value)


def _one_of(words: tuple[str, ...], value: Any) -> str:
    if not isinstance(value, str) or value not in words:
        raise _bad()
    return value


def _text(_signal: Signal, value: Any) -> Value:
    if not isinstance(value, str) or not value.strip():
        raise _bad()
    if len(value) > MAX_TEXT:
        raise Refusal(Code.TOO_LARGE, "$.value")
    return value


def _nothing(_signal: Signal, value: Any) -> Value:
    if value is not None:
        raise _bad()
    return None


def _computed(_signal: Signal, _value: Any) -> Value:
    raise Refusal(Code.COMPUTED_SIGNAL, "$.signal")


VALUES: dict[SignalKind, Check] = {
    SignalKind.THUMBS: _boolean,
    SignalKind.ACCEPT: _boolean,
    SignalKind.STARS: _said(_stars),
    SignalKind.PREFERENCE: _said(_preference),
    SignalKind.REASON: _said(_reason),
    SignalKind.CORRECTION: _said(_text),
    SignalKind.COMMENT: _said(_text),
    SignalKind.QUESTION: _said(_question),
    SignalKind.SKIP: _nothing,
    SignalKind.EXPOSURE: _nothing,
    SignalKind.DWELL: _said(_dwell),
    SignalKind.COPY: _said(_copy),
    SignalKind.REGENERATE: _nothing,
    SignalKind.EDIT: _said(_edit),
    SignalKind.CONVERSION: _said(_conversion),
    SignalKind.FOLLOW_UP: _computed,
    SignalKind.ABANDONMENT: _computed,
}
"""Each gives the value as it is stored, or raises Refusal."""
