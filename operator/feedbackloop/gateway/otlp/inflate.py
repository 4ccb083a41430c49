"""Bounded decompression: a body is never larger in memory than its limit says, whatever it claims."""

from __future__ import annotations

import zlib

from feedbackloop.gateway.asgi import TooLarge
from feedbackloop.gateway.otlp.model import Undecodable

MAX_COMPRESSED, MAX_INFLATED = 4 << 20, 16 << 20
_GZIP = 16 + zlib.MAX_WBITS
_MEMBERS = 64


def plain(body: bytes, encoding: bytes, limit: int = MAX_INFLATED) -> bytes:
    """The body without its content encoding. Raises TooLarge as soon as it is over the limit, Undecodable."""
    match encoding.strip().lower():
        case b"" | b"identity":
            return body
        case b"gzip" | b"x-gzip":
            return _gunzip(body, limit)
        case _:
            raise Undecodable("the content encoding must be gzip or none")


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    for _ in range(_MEMBERS):  # a gzip file may have several members (RFC 1952 §2.2)
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(rest, limit - size + 1)
        except zlib.error:
            raise Undecodable("the body is not gzip") from None
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
        if not member.eof:
            raise Undecodable("the gzip body ends too early")
        rest = member.unused_data
        if not rest:
            return b"".join(parts)
    raise Undecodable("the gzip body has too many members")
