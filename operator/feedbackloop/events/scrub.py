"""Redaction of JSON of unknown shape: every string, every key and every long number.

For bad rows: what a client sent by mistake is kept, so that it can be replayed, and made harmless
like everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from feedbackloop.events.redaction import Redactor

_MAX_DEPTH = 32
_SHORT_NUMBER = 7
MAX_RAW = 262_144
"""Characters of a bad row that are kept."""

_encode = msgspec.json.Encoder().encode


def scrubbed(
    value: Any,
    redactor: Redactor,
    hints: Sequence[str] = (),
    *,
    keep: Collection[str] = (),
    limit: int = MAX_RAW,
) -> str:
    """The value as JSON without private entities and hints, cut at `limit` characters. Raises RedactionFailed.

    `keep` are ids that are harmless already: a random one may look like a number of somebody's.
    """
    texts: list[str] = []
    try:
        _collect(value, texts, keep, 0)
    except RecursionError:
        return redactor.redact([_flat(value)], hints)[0][:limit]
    rest = iter(redactor.redact(texts, hints) if texts else ())
    return _encode(_rebuilt(value, rest, keep)).decode()[:limit]


def _flat(value: Any) -> str:
    try:
        return _encode(value).decode()
    except (RecursionError, msgspec.MsgspecError, ValueError):
        return "null"


def _collect(value: Any, texts: list[str], keep: Collection[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        for key, item in value.items():
            texts.append(key)
            _collect(item, texts, keep, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _collect(item, texts, keep, depth + 1)
    elif (isinstance(value, str) and value not in keep) or _is_long(value):
        texts.append(str(value))


def _is_long(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= _SHORT_NUMBER


def _rebuilt(value: Any, rest: Iterator[str], keep: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {next(rest): _rebuilt(item, rest, keep) for item in value.values()}
    if isinstance(value, list):
        return [_rebuilt(item, rest, keep) for item in value]
    if isinstance(value, str):
        return value if value in keep else next(rest)
    if _is_long(value):
        text = next(rest)
        return value if text == str(value) else text
    return value
