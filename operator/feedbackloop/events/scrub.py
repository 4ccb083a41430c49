"""Redaction of JSON of unknown shape: every string, every key and every long number.

For bad rows: what a client sent by mistake is kept, so that it can be replayed, and made harmless
like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from feedbackloop.events.redaction import Redactor

_MAX_DEPTH = 32
_SHORT_NUMBER = 7
MAX_RAW = 262_144
"""Characters of a bad row that are kept."""

_encode = msgspec.json.Encoder().encode


def scrubbed(value: Any, redactor: Redactor, hints: Sequence[str] = ()) -> str:
    """The value as JSON without private entities and hints, cut at `MAX_RAW` characters. Raises RedactionFailed."""
    texts: list[str] = []
    try:
        _collect(value, texts, 0)
    except RecursionError:
        return redactor.redact([_flat(value)], hints)[0][:MAX_RAW]
    rest = iter(redactor.redact(texts, hints) if texts else ())
    return _encode(_rebuilt(value, rest)).decode()[:MAX_RAW]


def _flat(value: Any) -> str:
    try:
        return _encode(value).decode()
    except (RecursionError, msgspec.MsgspecError, ValueError):
        return "null"


def _collect(value: Any, texts: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        for key, item in value.items():
            texts.append(key)
            _collect(item, texts, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _collect(item, texts, depth + 1)
    elif isinstance(value, str) or _is_long(value):
        texts.append(str(value))


def _is_long(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= _SHORT_NUMBER


def _rebuilt(value: Any, rest: Any) -> Any:
    if isinstance(value, dict):
        return {next(rest): _rebuilt(item, rest) for item in value.values()}
    if isinstance(value, list):
        return [_rebuilt(item, rest) for item in value]
    if isinstance(value, str):
        return next(rest)
    if _is_long(value):
        text = next(rest)
        return value if text == str(value) else text
    return value
