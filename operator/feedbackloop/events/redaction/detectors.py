"""What is looked for: an ASCII regex and a validator for each entity, and the gate patterns above them.

Every gate pattern matches wherever its regex does (a property test holds them to it), and only
ASCII classes are used, so that the byte scanner and `re` agree. Look-arounds replace `\\b`, which
would glue to accented letters.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction import cards, iban, phones

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]


@dataclass(frozen=True)
class Detector:
    """One entity: its token's name, the gate patterns (any of them may mean work), and the finder."""

    entity: Entity
    token: str
    gates: tuple[bytes, ...]
    find: Finder


def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | flags)


EMAIL = _compiled(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])")
CARD = _compiled(r"(?<![0-9])[0-9](?:[ -]?[0-9]){11,60}(?![0-9])")
IBAN = _compiled(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,34}")
IPV4 = _compiled(
    r"(?<![0-9.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?!\.?[0-9])"
)
IPV6 = _compiled(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z:])")
PHONE = _compiled(r"(?<![A-Za-z0-9_+])(?:\+[ (]{0,2}|\()?[0-9](?:[ ().\-/]{0,3}[0-9]){6,16}(?![A-Za-z0-9])")
SECRETS = _compiled(
    r"""-----BEGIN[ A-Z0-9]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----
        (?:(?!-----END)[\s\S]){0,20000}(?:-----END[ A-Z0-9]{0,60}-----)?
      | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,8000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,8000}){0,3}
      | (?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA|AGPA|AROA|AIDA|AIPA|ANPA|ANVA)[A-Z0-9]{16}(?![A-Za-z0-9])
      | (?<![A-Za-z0-9_])gh[opsur]_[A-Za-z0-9]{36,255}
      | (?<![A-Za-z0-9_])github_pat_[A-Za-z0-9_]{22,255}
      | (?<![A-Za-z0-9_])xox[a-z]-[A-Za-z0-9-]{10,255}
      | (?<![A-Za-z0-9_])xapp-[A-Za-z0-9-]{10,255}
      | hooks\.slack\.com/services/[A-Za-z0-9/_-]{10,120}
      | (?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20,255}
      | (?<![A-Za-z0-9_])sk-[A-Za-z0-9_-]{20,255}
      | (?<![A-Za-z0-9_])[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}
      | (?<![A-Za-z0-9_])AIza[A-Za-z0-9_-]{35}
      | (?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,255}
      | (?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}
      | (?<=[Aa][Ww][Ss])[A-Za-z_ .-]{0,24}[\"' ]{0,3}[:= ][\"' ]{0,3}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])
    """,
    re.VERBOSE,
)
SECRET_GATES = (
    rb"-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY",
    rb"eyJ[A-Za-z0-9_-]{6}",
    rb"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AROA|AIDA|AIPA|ANPA|ANVA)[A-Z0-9]{16}",
    rb"gh[opsur]_[A-Za-z0-9]{36}",
    rb"github_pat_|hooks\.slack\.com/services/|glpat-|[rs]k_live_|[rs]k_test_|AIza|xapp-|npm_|hf_",
    rb"xox[a-z]-|sk-[A-Za-z0-9_-]{20}",
    rb"[Aa][Ww][Ss][A-Za-z_ .-]{0,24}[\"' ]{0,3}[:= ][\"' ]{0,3}[A-Za-z0-9/+]{40}",
)


def _spans(pattern: re.Pattern[str]) -> Finder:
    def find(text: str) -> Iterator[Span]:
        return (match.span() for match in pattern.finditer(text))

    return find


def _find_cards(text: str) -> Iterator[Span]:
    for match in CARD.finditer(text):
        for start, end in cards.spans(match.group()):
            yield match.start() + start, match.start() + end


def _find_ibans(text: str) -> Iterator[Span]:
    at = 0
    while match := IBAN.search(text, at):
        length = iban.match_length(match.group())
        if length is not None:
            yield match.start(), match.start() + length
        at = match.start() + (length or 2)


def _find_addresses(text: str) -> Iterator[Span]:
    yield from _find_ipv6(text)
    yield from (match.span() for match in IPV4.finditer(text))


def _find_ipv6(text: str) -> Iterator[Span]:
    for match in IPV6.finditer(text):
        if _is_ipv6(match.group()):
            yield match.span()


def _is_ipv6(candidate: str) -> bool:
    if candidate.count(":") < 2 or not any(char.isdigit() for char in candidate):
        return False
    try:
        ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return True


def _find_phones(text: str) -> Iterator[Span]:
    return (match.span() for match in PHONE.finditer(text) if phones.is_phone(match.group()))


_DIGITS_GATE = rb"[0-9](?:[ ().\-/]{0,3}[0-9]){6}"

DETECTORS = (
    Detector(Entity.SECRET, "SECRET", SECRET_GATES, _spans(SECRETS)),
    Detector(Entity.EMAIL, "EMAIL", (rb"[A-Za-z0-9._%+'-]@[A-Za-z0-9]",), _spans(EMAIL)),
    Detector(Entity.IBAN, "IBAN", (rb"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11}",), _find_ibans),
    Detector(Entity.CREDIT_CARD, "CREDIT_CARD", (rb"[0-9](?:[ -]?[0-9]){11}",), _find_cards),
    Detector(
        Entity.IP_ADDRESS,
        "IP_ADDRESS",
        (rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", rb"[0-9A-Fa-f:]{0,4}:[0-9A-Fa-f]{0,4}:"),
        _find_addresses,
    ),
    Detector(Entity.PHONE, "PHONE", (_DIGITS_GATE,), _find_phones),
)
"""In the order of replacement: what is longest and surest first."""
