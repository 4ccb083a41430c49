"""Folding: characters that imitate ASCII become the ASCII that they imitate.

Compatibility forms (NFKC, UAX #15: full-width, mathematical, circled …) and decimal digits of every script
become ASCII, dashes `-`, spaces ` `, the dots of internationalised names `.` (RFC 3490 §3.1); marks and
characters without a shape (combining strokes, zero-width joiners) vanish. Accented letters stay: they are
no obfuscation. Most texts fold to themselves, which one search tells.
"""

from __future__ import annotations

import re
import unicodedata

from feedbackloop.events.redaction.views.view import Edit, View

_DOTS = "\u3002\uff0e\uff61\u2024\ufe52"
_DASHES = "\u2212\u02d7\u2043"
_SHAPELESS = "\u00ad\u115f\u1160\u2800\u3164\uffa0"
_PROSE = "\u2026\uff0c\uff01\uff1f\uff1b\u2122\u00bd\u00bc\u00be"
"""Common in prose of some languages and part of nothing that is looked for: left alone."""
_FIXED = {
    **dict.fromkeys(_DOTS, "."),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_SHAPELESS, ""),
    **{char: char for char in _PROSE},
}
_BY_CATEGORY = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Cf": "", "Mn": "", "Me": ""}


def fold_char(char: str) -> str:
    """What detectors see in place of one character."""
    if char.isascii():
        return char
    fixed = _FIXED.get(char)
    if fixed is None:
        fixed = _BY_CATEGORY.get(unicodedata.category(char))
    return _imitated(char) if fixed is None else fixed


def _imitated(char: str) -> str:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isascii() else char


class _Table(dict[str, str]):
    def __missing__(self, char: str) -> str:
        self[char] = folded = fold_char(char)
        return folded


def _pattern() -> re.Pattern[str]:
    odd = (chr(code) for code in range(128, 0x10000) if not 0xD800 <= code < 0xE000)
    return re.compile(f"[{''.join(char for char in odd if fold_char(char) != char)}]")


_table = _Table()
_odd = _pattern()
_astral = re.compile("[\U00010000-\U0010ffff]")


_ASCII = bytes(range(128))


def _foreign(text: str) -> str:
    """The characters of a text that are not ASCII."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _fold_match(match: re.Match[str]) -> str:
    return _table[match.group()]


def folded(text: str) -> str:
    """The text as detectors see it."""
    if text.isascii():
        return text
    foreign = _foreign(text)
    if _odd.search(foreign) is not None:
        text = _odd.sub(_fold_match, text)
    return _astral.sub(_fold_match, text) if _astral.search(foreign) is not None else text


def fold(view: View) -> View:
    """The folded view; itself when nothing folds."""
    text = view.text
    if text.isascii():
        return view
    foreign = _foreign(text)
    edits: list[Edit] = []
    if _odd.search(foreign) is not None:
        edits += [(match.start(), match.end(), _table[match.group()]) for match in _odd.finditer(text)]
    if _astral.search(foreign) is not None:
        astral = ((match.start(), match.end(), match.group()) for match in _astral.finditer(text))
        edits += [(start, end, _table[char]) for start, end, char in astral if _table[char] != char]
        edits.sort()
    return view.edited(edits)


def unaccented(char: str) -> str:
    """A letter without its accents and in lower case, for comparing names."""
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) != "Mn")
    return plain.casefold()
