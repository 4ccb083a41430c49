"""A request's body to its entries, by its content type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from feedbackloop.gateway.otlp import inflate, jsonform, protobuf
from feedbackloop.gateway.otlp.model import LogEntry, SpanEntry, Undecodable

INLINE_BYTES = 32 << 10
"""A larger body is decoded beside the event loop."""

T = TypeVar("T")


class Form(Enum):
    """The encoding of a request, and so of its answer."""

    PROTOBUF = b"application/x-protobuf"
    JSON = b"application/json"

    @classmethod
    def of(cls, content_type: bytes) -> Form:
        """Raises Undecodable for another content type."""
        try:
            return cls(content_type.split(b";")[0].strip().lower())
        except ValueError:
            raise Undecodable("the content type must be application/x-protobuf or application/json") from None


async def decoded(data: bytes | bytearray, read: Callable[[bytes | bytearray], T]) -> T:
    """Raises Undecodable, TooMany."""
    return read(data) if len(data) <= INLINE_BYTES else await asyncio.to_thread(read, data)


async def inflated(body: bytes, encoding: bytes) -> bytes | bytearray:
    """Raises Undecodable, TooLarge."""
    return await asyncio.to_thread(inflate.plain, body, encoding) if encoding else body


def logs(form: Form) -> Callable[[bytes | bytearray], list[LogEntry | None]]:
    return protobuf.logs if form is Form.PROTOBUF else jsonform.logs


def spans(form: Form) -> Callable[[bytes | bytearray], list[SpanEntry | None]]:
    return protobuf.spans if form is Form.PROTOBUF else jsonform.spans
