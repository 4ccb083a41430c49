"""OTLP in protobuf: the outer messages are walked here, so that their number is bounded before it costs memory.

A decoder of the whole request would make an object of every two bytes of an empty group. Only single
records, each of at most `MAX_RECORD_BYTES`, are given to it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from feedbackloop.gateway.otlp.model import (
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    Attributes,
    LogEntry,
    SpanEntry,
    SpanEvent,
    TooMany,
    Undecodable,
)

_GROUPS, _SCOPES, _RECORDS = 1, 2, 2
"""Field numbers: resource_logs/resource_spans, scope_logs/scope_spans, log_records/spans."""
_LENGTH_DELIMITED = 2
_FIXED = {1: 8, 5: 4}

T = TypeVar("T")


def logs(data: bytes | bytearray) -> list[LogEntry | None]:
    """The records of an ExportLogsServiceRequest, None for one that is too large. Raises Undecodable, TooMany."""
    return _each(data, lambda raw: _log(LogRecord.FromString(raw)))


def spans(data: bytes | bytearray) -> list[SpanEntry | None]:
    """The spans of an ExportTraceServiceRequest, None for one that is too large. Raises Undecodable, TooMany."""
    return _each(data, lambda raw: _span(Span.FromString(raw)))


def _each(data: bytes | bytearray, read: Callable[[bytes], T]) -> list[T | None]:
    found: list[T | None] = []
    try:
        for record in _walk(memoryview(data), (_GROUPS, _SCOPES, _RECORDS)):
            found.append(read(bytes(record)) if len(record) <= MAX_RECORD_BYTES else None)
    except (DecodeError, IndexError, RecursionError, UnicodeError):
        raise Undecodable("the body is not the protobuf message of this path") from None
    return found


def _walk(data: memoryview, path: tuple[int, ...]) -> Iterator[memoryview]:
    """The messages at the end of a path of field numbers. Counts those on the way too: raises TooMany."""
    level: Iterable[memoryview] = (data,)
    for number in path:
        level = _bounded(level, number)
    yield from level


def _bounded(level: Iterable[memoryview], number: int) -> Iterator[memoryview]:
    count = 0
    for outer in level:
        for message in _messages(outer, number):
            count += 1
            if count > MAX_RECORDS:
                raise TooMany
            yield message


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """The length-delimited fields of one number. Raises IndexError at a truncated field, DecodeError."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            length, at = _varint(data, at)
            if at + length > end:
                raise IndexError
            if tag >> 3 == wanted:
                yield data[at : at + length]
            at += length
        elif kind == 0:
            _, at = _varint(data, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise DecodeError


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DecodeError


def _log(record: LogRecord) -> LogEntry:
    return LogEntry(
        name=record.event_name,
        attributes=_attributes(record.attributes),
        body=_value(record.body),
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        time_ns=record.time_unix_nano or record.observed_time_unix_nano,
    )


def _span(span: Span) -> SpanEntry:
    return SpanEntry(
        name=span.name,
        attributes=_attributes(span.attributes),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        events=[SpanEvent(event.name, _attributes(event.attributes)) for event in span.events],
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    match kind:
        case None | "string_value_strindex":
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _:
            return getattr(value, kind)
