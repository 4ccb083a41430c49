"""IBAN (ISO 13616): lengths by country and the mod-97 check."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}
_DIGITS_ONLY = frozenset(re.findall("..", "AEATBABECZDEDKEEEGESFIFOGLHRHUILISLTMENOPLPTRSSESISKTNXK"))
"""Countries whose account numbers have no letters."""
_CANDIDATE = compiled(
    r"(?<![A-Za-z0-9]) (?:[A-Z]{2}[ ]?|[A-Za-z]{2})[0-9]{2} (?:[ .-]?[\r\n]{0,2}[ ]?[A-Za-z0-9]){11,34}"
)


def valid(compact: str) -> bool:
    """Whether an upper-case IBAN without spaces has its check digits right."""
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97 == 1


def _is_account(found: str) -> bool:
    """Account numbers are mostly digits; words that pass the check by chance are not."""
    digits = sum(map(str.isdigit, found[4:]))
    return digits == len(found) - 4 if found[:2] in _DIGITS_ONLY else digits >= 8


def match_length(candidate: str) -> int | None:
    """How many characters from the candidate's start are an IBAN (separators included), or None."""
    wanted = LENGTHS.get(candidate[:2].upper())
    if wanted is None:
        return None
    compact: list[str] = []
    for index, char in enumerate(candidate):
        if char.isalnum():
            compact.append(char.upper())
        if len(compact) == wanted:
            found = "".join(compact)
            return index + 1 if _is_account(found) and valid(found) else None
    return None


def find(text: str) -> Iterator[Span]:
    at = 0
    while match := _CANDIDATE.search(text, at):
        length = match_length(match.group())
        if length is not None:
            yield match.start(), match.start() + length
        at = match.start() + (length or 2)


DETECTOR = Detector(
    Entity.IBAN, "IBAN", (rb"(?:[A-Z]{2} ?|[A-Za-z]{2})[0-9]{2}(?:[ .-]?[\r\n]{0,2} ?[A-Za-z0-9]){11}",), find
)
