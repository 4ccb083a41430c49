"""Payment card numbers: ISO/IEC 7812 prefixes with their lengths, and the Luhn check."""

from __future__ import annotations

import re
from collections.abc import Iterator

_GROUP = re.compile(r"[0-9]+", re.ASCII)
_BRANDS = re.compile(
    r"""4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})                                  # Visa
      | (?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}   # Mastercard
      | 3[47][0-9]{13}                                                      # American Express
      | 3(?:0[0-5]|[689][0-9])[0-9]{11}                                     # Diners Club
      | (?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}(?:[0-9]{3})?              # Discover
      | 35(?:2[89]|[3-8][0-9])[0-9]{12}(?:[0-9]{3})?                        # JCB
      | 62[0-9]{14,17}                                                      # UnionPay
      | (?:50|5[6-9]|6[0-9])[0-9]{10,17}                                    # Maestro
      | 220[0-4][0-9]{12,15}                                                # Mir
    """,
    re.ASCII | re.VERBOSE,
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1 annex B."""
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether the digits are a card number of a known brand."""
    return _BRANDS.fullmatch(digits) is not None and luhn(digits)


def spans(candidate: str) -> Iterator[tuple[int, int]]:
    """The card numbers in a run of digit groups: windows of whole groups, none overlapping another."""
    groups = [match.span() for match in _GROUP.finditer(candidate)]
    first = 0
    while first < len(groups):
        last = _window(candidate, groups, first)
        if last is not None:
            yield groups[first][0], groups[last][1]
        first = first + 1 if last is None else last + 1


def _window(candidate: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits, found = "", None
    for last in range(first, len(groups)):
        start, end = groups[last]
        digits += candidate[start:end]
        if len(digits) > 19:
            break
        if is_card(digits):
            found = last
    return found
