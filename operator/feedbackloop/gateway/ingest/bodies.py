"""Bodies to events: one event, a list of events, or lines of events; each of them judged on its own."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from feedbackloop.events.incoming import MAX_EVENTS, MAX_LINES, EventBatch, IncomingFeedback, TrustedFeedback, is_uuid
from feedbackloop.events.validation import explain
from feedbackloop.gateway.ingest.outcome import NotJson, TooManyEvents

Item = IncomingFeedback | msgspec.Raw
"""An event, or the bytes of one that is still to be decoded (or does not decode)."""

_plain = msgspec.json.Decoder(IncomingFeedback)
_trusted = msgspec.json.Decoder(TrustedFeedback)
_batch = msgspec.json.Decoder(EventBatch)
_any = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)


class Model:
    """Which struct the events of a door are."""

    def __init__(self, decoder: msgspec.json.Decoder[Any], struct: type[IncomingFeedback]) -> None:
        self._decoder, self._struct = decoder, struct

    def split(self, body: bytes) -> tuple[list[Item], str]:
        """The events of a body, and the path of one of them, with `{}` for its index.

        Raises NotJson, TooManyEvents.
        """
        if b'"events"' not in body:
            try:
                return [self._decoder.decode(body)], "$"
            except _UNREADABLE:
                pass
        return _split_slowly(body)

    def decode(self, item: msgspec.Raw) -> IncomingFeedback:
        """Raises Refusal."""
        try:
            event: IncomingFeedback = self._decoder.decode(item)
            return event
        except _UNREADABLE:
            raise explain(lenient(item), self._struct) from None

    def lines(self, body: bytes) -> list[Item]:
        """The events of NDJSON; a line that does not decode stays as it is. Raises TooManyEvents."""
        decode, items = self._decoder.decode, list[Item]()
        for line in body.split(b"\n"):
            if line and not line.isspace():
                try:
                    items.append(decode(line))
                except _UNREADABLE:
                    items.append(msgspec.Raw(line))
                if len(items) > MAX_LINES:
                    raise TooManyEvents
        return items


PLAIN = Model(_plain, IncomingFeedback)
TRUSTED = Model(_trusted, TrustedFeedback)


def _split_slowly(body: bytes) -> tuple[list[Item], str]:
    try:
        events = _batch.decode(body).events
    except msgspec.ValidationError:
        events = msgspec.UNSET
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotJson from None
    if isinstance(events, msgspec.UnsetType):
        return [_parsed(body)], "$"
    if len(events) > MAX_EVENTS:
        raise TooManyEvents
    return list(events), "$.events[{}]"


def _parsed(body: bytes) -> msgspec.Raw:
    """The body, known to be JSON. Raises NotJson."""
    try:
        _any.decode(body)
    except msgspec.ValidationError:
        pass  # a number that no reader keeps exact is still JSON
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotJson from None
    return msgspec.Raw(body)


def as_json(event: msgspec.Struct) -> Any:
    """A decoded body as the JSON value that it came as."""
    return _any.decode(_encode(event))


def lenient(item: msgspec.Raw) -> Any:
    """The JSON value of an item, or its text when it is none (too deep, bad escapes)."""
    try:
        return _any.decode(item)
    except msgspec.ValidationError:
        return _with_any_numbers(bytes(item))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _text(bytes(item))


def _with_any_numbers(data: bytes) -> Any:
    """For numbers beyond all bounds: they stay as text in a list, which no field takes for anything."""
    try:
        value = json.loads(data, parse_int=_number, parse_float=_number, parse_constant=_number)
        msgspec.json.encode(value)  # a lone surrogate is no text
        return value
    except (ValueError, RecursionError):
        return _text(data)


def _number(text: str) -> Any:
    try:
        return _any.decode(text)
    except msgspec.MsgspecError:
        return [text[:40]]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def known_id(raw: Any) -> str | None:
    """The event id of a JSON value, when it is one."""
    value = raw.get("event_id") if isinstance(raw, dict) else None
    return value.lower() if isinstance(value, str) and is_uuid(value) else None
