"""Bounded decompression: a body is never larger in memory than its limit says, whatever it claims."""

from __future__ import annotations

import zlib

from feedbackloop.gateway.asgi import TooLarge
from feedbackloop.gateway.otlp.model import Undecodable

MAX_COMPRESSED, MAX_INFLATED = 4 << 20, 16 << 20
_GZIP = 16 + zlib.MAX_WBITS
_MEMBERS, _PIECE = 64, 64 << 10


def plain(body: bytes, encoding: bytes, limit: int = MAX_INFLATED) -> bytes | bytearray:
    """The body without its content encoding. Raises TooLarge as soon as it is over the limit, Undecodable."""
    match encoding.strip().lower():
        case b"" | b"identity":
            return body
        case b"gzip" | b"x-gzip":
            return _gunzip(body, limit)
        case _:
            raise Undecodable("the content encoding must be gzip or none")


def _gunzip(body: bytes, limit: int) -> bytearray:
    inflated, rest = bytearray(), body
    for _ in range(_MEMBERS):  # a gzip file may have several members (RFC 1952 §2.2)
        rest = _member(rest, inflated, limit)
        if not rest:
            return inflated
    raise Undecodable("the gzip body has too many members")


def _member(body: bytes, inflated: bytearray, limit: int) -> bytes:
    """Inflates one member piece by piece; what comes after it."""
    member, rest = zlib.decompressobj(_GZIP), body
    while not member.eof:
        try:
            piece = member.decompress(rest, _PIECE)
        except zlib.error:
            raise Undecodable("the body is not gzip") from None
        rest = member.unconsumed_tail
        if not piece and not rest and not member.eof:
            raise Undecodable("the gzip body ends too early")
        if len(inflated) + len(piece) > limit:
            raise TooLarge
        inflated += piece
    return member.unused_data
