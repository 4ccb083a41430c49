"""Encoded characters as the characters they stand for.

HTML references (`&#64;`, `&#x40;`, `&commat;`), percent-encoding (`%40`, UTF-8), escapes of programming languages
and JSON (`\\u0040`, `\\x40`, `\\n`), and the soft line breaks and the `@` of quoted-printable.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from feedbackloop.events.redaction.views.view import Edit

CLUES = (
    rb"&#[0-9xX]",
    rb"&[A-Za-z]{2,31}[0-9]{0,2};",
    rb"%[0-9A-Fa-f]{2}",
    rb"\\u\{?[0-9A-Fa-f]",
    rb"\\x[0-9A-Fa-f]{2}",
    rb"\\[nrt,;/]",
    rb"=\r?\n",
    rb"=40",
)
_ESCAPE = re.compile(
    r"""(?P<html>&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}[0-9]{0,2}(?=;));?)
      | (?P<percent>(?:%[0-9A-Fa-f]{2})+)
      | \\(?:u\{(?P<braces>[0-9A-Fa-f]{1,6})\}|u(?P<unicode>[0-9A-Fa-f]{4})|x(?P<byte>[0-9A-Fa-f]{2}))
      | \\(?:(?P<space>[nrt])|(?P<itself>[,;/]))
      | (?P<soft>=\r?\n)
      | (?P<quoted>=40)""",
    re.VERBOSE | re.ASCII,
)

_FIXED = {"space": "\n", "quoted": "@", "soft": ""}


def edits(text: str) -> Iterator[Edit]:
    """An edit for everything that stands for something else."""
    for match in _ESCAPE.finditer(text):
        plain = _plain(match)
        if plain != match.group():
            yield match.start(), match.end(), plain


def _plain(match: re.Match[str]) -> str:
    kind, whole = match.lastgroup, match.group()
    if kind == "html":
        return html.unescape(whole)
    if kind == "percent":
        return bytes.fromhex(whole.replace("%", "")).decode("utf-8", "replace")
    if kind == "itself":
        return whole[1]
    if kind is None or kind in _FIXED:
        return _FIXED.get(kind or "", "")
    code = int(match.group(kind), 16)
    return chr(code) if code < 0x110000 else whole
