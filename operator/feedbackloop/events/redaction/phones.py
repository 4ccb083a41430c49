"""Phone numbers: cheap candidate spans first, `phonenumbers` only on those."""

from __future__ import annotations

import re

import phonenumbers

_DATE = re.compile(
    r"""(?:19|20)[0-9]{2}([-./])[01]?[0-9]\1[0-3]?[0-9]
      | [0-3]?[0-9]([-./])[01]?[0-9]\2(?:19|20)[0-9]{2}
      | (?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[^0-9]""",
    re.ASCII | re.VERBOSE,
)
_NORTH_AMERICAN = re.compile(r"(?:1[ .-]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}", re.ASCII)
_TRUNK_REGIONS = (
    "GB",
    "DE",
    "FR",
    "IT",
    "NL",
    "AT",
    "CH",
    "BE",
    "SE",
    "AU",
    "IN",
    "JP",
    "CN",
    "ZA",
    "TR",
    "UA",
    "ID",
    "IL",
)
_BARE_REGIONS = ("US",)
_SPACED_REGIONS = ("ES", "PL", "PT", "NO", "DK", "CZ", "BR", "MX", "SG")


def is_phone(candidate: str) -> bool:
    """Whether a candidate span is a telephone number that could exist.

    With a country code the length decides (E.164); without one it must be valid where it could
    have been dialled: with a trunk 0 in several countries, as ten bare digits in North America.
    """
    if _DATE.match(candidate):
        return False
    digits = "".join(char for char in candidate if char.isdigit())
    if candidate[0] == "+" or candidate.startswith("00"):
        return _possible("+" + digits.removeprefix("00"))
    if _NORTH_AMERICAN.fullmatch(candidate):
        return True
    return any(_valid(candidate, region) for region in _regions(candidate, digits))


def _regions(candidate: str, digits: str) -> tuple[str, ...]:
    if digits.startswith("0"):
        return _TRUNK_REGIONS if len(digits) >= 9 else ()
    if len(digits) == len(candidate):
        return _BARE_REGIONS if len(digits) in (10, 11) else ()
    return _BARE_REGIONS + _SPACED_REGIONS if len(digits) >= 9 else ()


def _possible(number: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(number, None)))
    except phonenumbers.NumberParseException:
        return False


def _valid(number: str, region: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
