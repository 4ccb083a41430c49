"""OTLP in JSON: lowerCamelCase names, ids in hex, 64-bit integers as text; unknown fields are passed over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from feedbackloop.gateway.otlp.model import (
    MAX_RECORDS,
    Attributes,
    LogEntry,
    SpanEntry,
    SpanEvent,
    TooMany,
    Undecodable,
)

MAX_OBJECTS = 200_000
"""Braces in a body: they bound what decoding it may cost, about 150 bytes each."""


class _Value(Struct, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: _Values | None = None
    kvlist_value: _Pairs | None = None
    bytes_value: str | None = None


class _Values(Struct):
    values: list[_Value] | None = None


class _Pair(Struct):
    key: str = ""
    value: _Value | None = None


class _Pairs(Struct):
    values: list[_Pair] | None = None


class _Log(Struct, rename="camel"):
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    event_name: str | None = None
    attributes: list[_Pair] | None = None
    body: _Value | None = None
    trace_id: str | None = None
    span_id: str | None = None


class _Event(Struct):
    name: str | None = None
    attributes: list[_Pair] | None = None


class _Span(Struct, rename="camel"):
    name: str | None = None
    attributes: list[_Pair] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    events: list[_Event] | None = None


class _ScopeLogs(Struct, rename="camel"):
    log_records: list[_Log] | None = None


class _ResourceLogs(Struct, rename="camel"):
    scope_logs: list[_ScopeLogs] | None = None


class _Logs(Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] | None = None


class _ScopeSpans(Struct):
    spans: list[_Span] | None = None


class _ResourceSpans(Struct, rename="camel"):
    scope_spans: list[_ScopeSpans] | None = None


class _Spans(Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None


_logs = msgspec.json.Decoder(_Logs)
_spans = msgspec.json.Decoder(_Spans)


def logs(data: bytes | bytearray) -> list[LogEntry | None]:
    """The records of an ExportLogsServiceRequest. Raises Undecodable, TooMany."""
    found = [
        record
        for group in _decoded(_logs, data).resource_logs or ()
        for scope in group.scope_logs or ()
        for record in scope.log_records or ()
    ]
    return _each(found, _log)


def spans(data: bytes | bytearray) -> list[SpanEntry | None]:
    """The spans of an ExportTraceServiceRequest. Raises Undecodable, TooMany."""
    found = [
        span
        for group in _decoded(_spans, data).resource_spans or ()
        for scope in group.scope_spans or ()
        for span in scope.spans or ()
    ]
    return _each(found, _span)


def _decoded(decoder: Any, data: bytes | bytearray) -> Any:
    if data.count(b"{") > MAX_OBJECTS:
        raise TooMany
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise Undecodable("the body is not the JSON message of this path") from None


def _each(found: list[Any], read: Any) -> list[Any]:
    if len(found) > MAX_RECORDS:
        raise TooMany
    try:
        return [read(record) for record in found]
    except (ValueError, RecursionError):
        raise Undecodable("a number or an id of the body is malformed") from None


def _log(record: _Log) -> LogEntry:
    return LogEntry(
        name=record.event_name or "",
        attributes=_attributes(record.attributes),
        body=_value(record.body),
        trace_id=_hex(record.trace_id, 16),
        span_id=_hex(record.span_id, 8),
        time_ns=int(record.time_unix_nano or 0) or int(record.observed_time_unix_nano or 0),
    )


def _span(span: _Span) -> SpanEntry:
    return SpanEntry(
        name=span.name or "",
        attributes=_attributes(span.attributes),
        trace_id=_hex(span.trace_id, 16),
        span_id=_hex(span.span_id, 8),
        events=[SpanEvent(event.name or "", _attributes(event.attributes)) for event in span.events or ()],
    )


def _hex(text: str | None, size: int) -> str:
    """An id in lower case. Raises ValueError when it is not `size` bytes in hex."""
    data = bytes.fromhex(text or "")
    if data and len(data) != size:
        raise ValueError
    return data.hex()


def _attributes(pairs: Iterable[_Pair] | None) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs or ()}


def _value(value: _Value | None) -> Any:
    if value is None:
        return None
    if value.array_value is not None:
        return [_value(item) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return _attributes(value.kvlist_value.values)
    return _scalar(value)


def _int64(value: int | str) -> int:
    whole = int(value)
    if not -(1 << 63) <= whole < 1 << 63:
        raise ValueError
    return whole


def _scalar(value: _Value) -> Any:
    if value.int_value is not None:
        return _int64(value.int_value)
    if value.double_value is not None:
        return float(value.double_value)
    if value.bool_value is not None:
        return value.bool_value
    return value.string_value if value.string_value is not None else value.bytes_value
