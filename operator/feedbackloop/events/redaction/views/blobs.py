"""Text inside base64 (RFC 4648, both alphabets, padded or not, wrapped or not) and hexadecimal."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from feedbackloop.events.redaction.views.view import Edit

CLUES = (rb"(?:[a-z][A-Z0-9]|[0-9][A-Za-z]|[A-Z][0-9])[A-Za-z0-9+/_-]{6}",)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{14,}(?:(?<=[A-Za-z0-9+/]{60})\r?\n[A-Za-z0-9+/]+)*={0,2}", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9]{14,}={0,2}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}|(?:[0-9A-F]{2}){8,}", re.ASCII)
_TO_STANDARD = str.maketrans("-_", "+/", "\r\n=")
_MIXED = re.compile(r"(?:[a-z][A-Z0-9]|[0-9][A-Za-z]|[A-Z][0-9])[A-Za-z0-9+/_-]{6}", re.ASCII)
"""Encoded prose mixes capitals, digits and small letters; words, paths and slugs do not."""
_PRINTABLE_SHARE = 0.9


def edits(text: str) -> Iterator[Edit]:
    """An edit for every run that is the encoding of a readable text."""
    for match in _BLOB.finditer(text):
        yield from _decoded(match.group(), match.start())


def _decoded(run: str, at: int) -> Iterator[Edit]:
    plain = _readable(run)
    if plain is not None:
        yield at, at + len(run), plain
        return
    for part in _PART.finditer(run):
        plain = None if part.group() == run else _readable(part.group())
        if plain is not None:
            yield at + part.start(), at + part.end(), plain


def _readable(run: str) -> str | None:
    if _MIXED.search(run) is None:
        return None
    data = bytes.fromhex(run) if _HEX.fullmatch(run) else _base64(run.translate(_TO_STANDARD))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if _is_prose(text) else None


def _base64(run: str) -> bytes:
    try:
        return base64.b64decode(run + "=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _is_prose(text: str) -> bool:
    return len(text) >= 6 and sum(map(str.isprintable, text)) >= _PRINTABLE_SHARE * len(text)
