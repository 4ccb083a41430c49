"""Payment card numbers: ISO/IEC 7812 prefixes with their lengths, and the Luhn check."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors import context
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_DIGITS_AND_SEPARATORS = compiled(r"[0-9][0-9 .\-\r\n]{10,}[0-9]")
_RUN = compiled(r"[0-9](?:[ .-]{0,2}[\r\n]{0,2}[ ]?[0-9]){11,}")
_GROUP = compiled(r"[0-9]+")
_BREAK = compiled(r"[\r\n]")
_PRINTED = compiled(r"1[2-9]|(?:4[ ]){2,4}[1-4]|4[ ]6[ ][45]|6[ ]1[0-3]|8[ ]8|(?:2[ ]){7}2")
_FIRST_SIZES = frozenset((2, 4, 6, 8, *range(12, 20)))
_MOST_BREAKS = 2
_SHORTEST, _LONGEST = 12, 19
_BRANDS = compiled(
    r"""4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})                                  # Visa
      | (?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}   # Mastercard
      | 3[47][0-9]{13}                                                      # American Express
      | 3(?:0[0-5]|[689][0-9])[0-9]{11}                                     # Diners Club
      | (?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}(?:[0-9]{3})?              # Discover
      | (?:35[0-9]{14}(?:[0-9]{3})?|(?:2131|1800)[0-9]{11})   # JCB
      | 62[0-9]{14,17}                                                      # UnionPay
      | (?:50|5[6-9]|6[0-9])[0-9]{10,17}                                    # Maestro
      | 220[0-4][0-9]{12,15}                                                # Mir
    """
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1 annex B."""
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether the digits are a card number of a known brand."""
    return _BRANDS.fullmatch(digits) is not None and luhn(digits)


def _runs(text: str) -> Iterator[re.Match[str]]:
    for candidate in _DIGITS_AND_SEPARATORS.finditer(text):
        yield from _RUN.finditer(text, *candidate.span())


def find(text: str) -> Iterator[Span]:
    for match in _runs(text):
        for start, end in spans(match.group()):
            if end - start > 12 or not context.REFERENCE.search(context.before(text, match.start() + start)):
                yield match.start() + start, match.start() + end


def spans(run: str) -> Iterator[Span]:
    """The card numbers in a run of digit groups: windows of whole groups, none overlapping another.

    Groups are those that cards are printed in: in a list of numbers some window always passes the check. A line
    break may stand anywhere.
    """
    groups = [match.span() for match in _GROUP.finditer(run)]
    first = 0
    while first < len(groups):
        last = _window(run, groups, first)
        if last is not None:
            yield groups[first][0], groups[last][1]
        first = first + 1 if last is None else last + 1


def _window(run: str, groups: list[Span], first: int) -> int | None:
    digits, sizes, breaks, found = "", "", 0, None
    if _is_hopeless(run, groups, first):
        return None
    for last in range(first, len(groups)):
        start, end = groups[last]
        digits += run[start:end]
        if len(digits) > _LONGEST:
            break
        broken = last > first and _BREAK.search(run, groups[last - 1][1], start) is not None
        breaks += broken
        sizes += f"{'+' if broken else ' '}{end - start}"
        if breaks > _MOST_BREAKS:
            break
        if len(digits) >= _SHORTEST and _is_printed(sizes) and is_card(digits):
            found = last
    return found


def _is_hopeless(run: str, groups: list[Span], first: int) -> bool:
    """Whether a group is none that a card begins with, and no line break follows that may have cut one."""
    start, end = groups[first]
    return end - start not in _FIRST_SIZES and not run.startswith(("\n", "\r"), end)


def _is_printed(sizes: str) -> bool:
    """Whether groups of these sizes are how cards are printed; `+` stands for a line break between two."""
    apart = sizes.replace("+", " ").split()
    whole = [str(sum(map(int, group.split("+")))) for group in sizes.split()]
    return any(_PRINTED.fullmatch(" ".join(each)) is not None for each in (apart, whole))


DETECTOR = Detector(Entity.CREDIT_CARD, "CREDIT_CARD", (rb"[0-9](?:[ .-]{0,2}[\r\n]{0,2} ?[0-9]){11}",), find)
