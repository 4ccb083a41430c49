"""Answers in the encoding of the request (OTLP/HTTP, protocol specification 1.x).

The two messages are small enough to be written by hand: `partial_success {rejected = 1, error_message = 2}`
in field 1 of both responses, and google.rpc.Status `{code = 1, message = 2}` for errors.
"""

from __future__ import annotations

from feedbackloop.gateway.asgi import Answer, Headers, answer

PROTOBUF = (b"content-type", b"application/x-protobuf")
_INVALID_ARGUMENT, _UNAVAILABLE, _EXHAUSTED, _UNAUTHENTICATED = 3, 14, 8, 16
_CODES = {400: _INVALID_ARGUMENT, 401: _UNAUTHENTICATED, 413: _INVALID_ARGUMENT, 415: _INVALID_ARGUMENT,
          429: _EXHAUSTED, 503: _UNAVAILABLE}  # fmt: skip


def accepted(*, as_json: bool, counter: str, rejected: int = 0, message: str = "") -> Answer:
    """200; with how many were rejected and why, when any were. `counter` is the count's name in JSON."""
    if as_json:
        partial = {counter: str(rejected), "errorMessage": message}
        return answer(200, {"partialSuccess": partial} if rejected else {})
    partial_success = _number(1, rejected) + _text(2, message)
    return Answer(200, _bytes(1, partial_success) if rejected else b"", (PROTOBUF,))


def refused(status: int, message: str, *, as_json: bool, retry_after: int | None = None) -> Answer:
    """An error; exporters try again after 429, 502, 503 and 504 only."""
    code = _CODES.get(status, 13)
    headers: Headers = () if retry_after is None else ((b"retry-after", str(retry_after).encode()),)
    if as_json:
        return answer(status, {"code": code, "message": message}, headers=headers)
    return Answer(status, _number(1, code) + _text(2, message), (PROTOBUF, *headers))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
