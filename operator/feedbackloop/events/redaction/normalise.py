"""Folding text for detection: obfuscated characters become the ASCII they imitate.

Compatibility decomposition (NFKD, UAX #15) without marks, so that accents and combining
strokes hide nothing; decimal digits of every script become 0-9, dashes `-`, spaces ` `, dots of
internationalised names `.` (RFC 3490 §3.1); format characters such as zero-width joiners vanish.
The stored text is never folded: an offset map leads spans back to the original.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_DOTS = "\u3002\uff0e\uff61\u2024\ufe52"
_DASHES = "\u2212\u02d7\u2043\u00ad"
_SPACES = ("Zs", "Zl", "Zp")
_NOTHING = ("Cf", "Mn", "Me")
_CACHE_LIMIT = 100_000


def _fold_plain(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in _NOTHING:
        return ""
    if category == "Pd":
        return "-"
    return " " if category in _SPACES else char


def _fold(char: str) -> str:
    if char in _DOTS:
        return "."
    if char == "\u00ad":
        return ""
    if char in _DASHES:
        return "-"
    return "".join(_fold_plain(part) for part in unicodedata.normalize("NFKD", char))


class _Table(dict[int, str]):
    """A translation table that fills itself, bounded; ASCII stands for itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = char if code < 128 else _fold(char)
        if len(self) < _CACHE_LIMIT:
            self[code] = folded
        return folded


_table = _Table()


def folded(text: str) -> str:
    """The text as detectors see it."""
    return text if text.isascii() else text.translate(_table)


@dataclass(frozen=True)
class Folding:
    """A folded text with the way back: `starts[i]` is the original index of folded character i."""

    text: str
    starts: list[int] | None

    def span(self, start: int, end: int, original: str) -> tuple[int, int]:
        """The original span of a folded one, characters that folded to nothing included at its end."""
        if self.starts is None:
            return start, end
        stop = self.starts[end] if end < len(self.starts) else len(original)
        return self.starts[start], stop


def fold(text: str) -> Folding:
    """The folded text and its offset map (none for ASCII, which folds to itself)."""
    if text.isascii():
        return Folding(text, None)
    parts: list[str] = []
    starts: list[int] = []
    for index, char in enumerate(text):
        part = _table[ord(char)]
        parts.append(part)
        starts.extend([index] * len(part))
    return Folding("".join(parts), starts)
