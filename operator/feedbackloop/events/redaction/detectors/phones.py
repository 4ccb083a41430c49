"""Telephone numbers: candidate runs of digits first, then their shape, the words around and the numbering plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors import context, numbering
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_DIGITS_AND_SEPARATORS = compiled(r"[0-9][0-9 ().\-/\r\n]{5,}[0-9]")
_RUN = compiled(r"[0-9](?:[ ().\-/]{0,3}[\r\n]{0,2}[ ().\-/]{0,2}[0-9]){6,}")
_PREFIX = compiled(r"(?:^|[^A-Za-z0-9_+])(\+[ (]{0,2}|\(\+?)\Z")
_FIRST_GROUP = compiled(r"[0-9]+[^0-9+(]*")
_EXTENSION = compiled(r"[ ,]{0,2}(?:x|ext\.?|extension|\#)[ ]?[0-9]{1,6}(?![A-Za-z0-9_])", re.IGNORECASE)

_PARTS = re.compile(r"[ ]*[\r\n]+[ ]*|[ ]*/[ ]+|[ ]+/[ ]*|[ ]+-[ ]+|[ ]{2,}")
_LINES = re.compile(r"\s*[\r\n]+\s*")
_GROUP = re.compile(r"\+?\(?[0-9]+")
_NO_PHONE = compiled(
    r"""(?:19|20)[0-9]{2}([-./])[01]?[0-9]\1[0-3]?[0-9](?:[ ][0-9]{2})?     # dates
      | [0-3]?[0-9]([-./])[0-3]?[0-9]\2(?:19|20)?[0-9]{2}(?:[ ][0-9]{2})?
      | (?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[ -]?[0-9]{4,6})?
      | (?:19|20)[0-9]{2}[ ]?[-/][ ]?(?:19|20)[0-9]{2}                      # years
      | [0-9]+\.[0-9]+ | [0-9]{1,3}(?:\.[0-9]{3})+                          # decimals, thousands
      | [0-9]{1,3}(?:\.[0-9]{1,3}){3}                                       # IPv4
      | 97[89][ -]?[0-9]{1,5}[ -]?[0-9]+[ -]?[0-9]+[ -]?[0-9]               # ISBN
      | [0-9]{1,5}-[0-9]{2,7}-[0-9]{2,7}-[0-9]                              # ISBN-10
    """
)
_NORTH_AMERICAN = compiled(r"(?:1[ .-]?)?(?:\([0-9]{3}\)[ -]?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}")
_AREA = compiled(
    r"8[ -]\(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}"
    r"|(?:[0-9]{1,3}[ -]?)?\([0-9]{1,5}\)[ -]{0,2}[0-9 .\-/]{5,14}"
)
_TRUNK_GROUPED = compiled(r"\(?0[0-9]{1,5}\)?[ .\-/]{1,3}[0-9]{2,8}(?:[ .-][0-9]{2,6}){0,4}|0[0-9](?:[ .-][0-9]{2}){4}")
_BARE = compiled(r"1[3-9][0-9]{9}|[6-9][0-9]{9}")
"""Mobile numbers of China and India, which are written without any separator."""
_DIGITS = compiled("[0-9]+")
_SHORT = compiled(
    r"""[0-9]{7,8} | [0-9]{3,4}[ -][0-9]{4} | [0-9]{2}(?:[ .-][0-9]{2}){3} | [0-9]{2,3}[ -][0-9]{3}[ -][0-9]{2,3}
      | (?:[0-9]{1,3}[ -]?)?\([0-9]{1,5}\)[ -]{0,2}[0-9 .\-/]{5,14}"""
)
"""How numbers of seven or eight digits are written, which dates are not."""
_LEAST, _LONG, _MOST = 7, 9, 15


def find(text: str) -> Iterator[Span]:
    for match in _runs(text):
        start, end = _start(text, *match.span()), match.end()
        extension = _EXTENSION.match(text, end)
        if extension is None and text[end : end + 1].isascii() and _is_word(text[end : end + 1]):
            end = _without_last_group(text, start, end)
        if _is_phone(text, start, end):
            yield start, extension.end() if extension else end
        else:
            yield from _parts(text, start, end)


def _runs(text: str) -> Iterator[re.Match[str]]:
    for candidate in _DIGITS_AND_SEPARATORS.finditer(text):
        yield from _RUN.finditer(text, *candidate.span())


def _start(text: str, start: int, end: int) -> int:
    """Where a run begins, with its `+` or bracket, and without a first group that is part of a word."""
    prefix = _PREFIX.search(text[max(0, start - 4) : start])
    if prefix is not None:
        return start - len(prefix.group(1))
    if start == 0 or not (text[start - 1].isascii() and _is_word(text[start - 1])):
        return start
    glued = _FIRST_GROUP.match(text, start, end)
    return end if glued is None else glued.end()


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _without_last_group(text: str, start: int, end: int) -> int:
    """The end of a run whose last digits are part of a word."""
    return start + len(text[start:end].rstrip("0123456789").rstrip(" ().-/\r\n"))


def _parts(text: str, start: int, end: int) -> Iterator[Span]:
    """Numbers in a run that as a whole is none: several lines, several numbers one after the other."""
    at = start
    for gap in (*_PARTS.finditer(text, start, end), None):
        stop = gap.start() if gap else end
        if (at, stop) != (start, end) and _is_phone(text, at, stop):
            yield at, stop
        elif stop - at > _MOST:
            yield from _windows(text, at, stop)
        at = gap.end() if gap else end


def _windows(text: str, start: int, end: int) -> Iterator[Span]:
    """Numbers one after the other in a run; what stands before the first may be a house number or a count."""
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups) - 1:
        found = next(
            (last for last in _ends(groups, first) if _is_phone(text, groups[first][0], groups[last][1])), None
        )
        if found is not None:
            yield groups[first][0], groups[found][1]
        elif first > 0 or groups[0][1] - groups[0][0] > 3:
            return
        first = first + 1 if found is None else found + 1


def _ends(groups: list[Span], first: int) -> range:
    """Where a window from a group may end, the widest first; a run of one number is not searched again."""
    widest = first
    while widest + 1 < len(groups) and groups[widest + 1][1] - groups[first][0] <= _MOST + 3:
        widest += 1
    return range(widest, first, -1) if len(groups) > widest - first + 1 else range(0)


def _is_phone(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    candidate = _LINES.sub(" ", written)
    if ")" not in candidate:
        candidate = candidate.lstrip("(")
    digits = "".join(char for char in candidate if char.isdigit())
    if not _LEAST <= len(digits) <= _MOST or _NO_PHONE.fullmatch(candidate.strip("()")):
        return False
    if _is_list(_DIGITS.findall(candidate)):
        return False
    if len(digits) < _LONG and "+" not in candidate and not _SHORT.fullmatch(written):
        return False
    if candidate.lstrip("(")[0] == "+":
        return numbering.is_international(digits)
    likely = _looks_like_phone(candidate, digits) or context.PHONE.search(context.around(text, start, end))
    return bool(likely) and not _is_something_else(text, start, end)


def _is_list(groups: list[str]) -> bool:
    """Counting, or many small numbers: figures, not a number in groups."""
    steps = {int(after) - int(before) for before, after in pairwise(groups)}
    evenly = len(steps) == 1 and steps <= set(range(-10, 11))
    return len(groups) >= 4 and (evenly or sum(len(group) == 1 for group in groups) >= 3)


def _is_something_else(text: str, start: int, end: int) -> bool:
    lead = context.before(text, start)
    return bool(
        context.REFERENCE.search(lead)
        or context.CURRENCY_BEFORE.search(lead)
        or context.UNIT_AFTER.match(text, end)
        or re.search(r"[A-Za-z0-9][-.,]$", lead)
        or re.match(r"[-.,][0-9]", text[end : end + 2])
    )


def _looks_like_phone(candidate: str, digits: str) -> bool:
    if digits.startswith("00"):
        return len(digits) >= 10 and numbering.is_international(digits[2:])
    if _NORTH_AMERICAN.fullmatch(candidate) or (_AREA.fullmatch(candidate) and len(digits) >= 8):
        return True
    if digits.startswith("0"):
        return 9 <= len(digits) <= 13 and (
            _TRUNK_GROUPED.fullmatch(candidate) is not None or numbering.is_national(digits, numbering.TRUNK)
        )
    if candidate == digits:
        return _BARE.fullmatch(digits) is not None or (
            len(digits) in (10, 11) and numbering.is_national(digits, ("US",))
        )
    return len(digits) >= 9 and numbering.is_national(digits, numbering.SPACED)


_NEXT = rb"(?:[ ().\-/]{0,3}[\r\n]{0,2}[ ().\-/]{0,2}[0-9])"
DETECTOR = Detector(
    Entity.PHONE,
    "PHONE",
    (
        rb"[0-9]" + _NEXT + rb"{8}",
        rb"\+[ (]{0,2}[0-9]" + _NEXT + rb"{6}",
        rb"[0-9]{7}|[0-9]{3,4}[ -][0-9]{4}|[0-9]{2}[ .-][0-9]{2}[ .-][0-9]{2}[ .-][0-9]{2}",
        rb"[0-9]{2,3}[ -][0-9]{3}[ -][0-9]{2,3}|\([0-9]{1,5}\)[ -]{0,2}[0-9 .\-/]{5}",
    ),
    find,
)
