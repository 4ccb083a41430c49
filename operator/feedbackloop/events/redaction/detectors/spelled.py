"""E-mail addresses written so that machines do not see them: `anna at example dot com`, `anna (at) example.com`.

The plain word `at` before a plain domain is prose ("look at example.com") unless the domain is a mail provider's;
a bracketed or spaced sign, or a spelled dot in the domain, is an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors.detector import Detector, Span
from feedbackloop.events.redaction.detectors.email import LETTERS

_AT_WORDS = "at|at[ ]the[ ]rate|arroba|arobase|chiocciola|apenstaartje|snabel-a|malpa|małpa|ät|aet|klammeraffe"
_DOT_WORDS = "dot|punkt|point|punto|ponto|punt|kropka|period"
_OPEN, _CLOSE = r"[\[({<*]", r"[\])}>*]"
_BRACKETED = rf"\s{{0,3}}{_OPEN}\s{{0,2}}(?:%s)\s{{0,2}}{_CLOSE}\s{{0,3}}"
_SPACED = r"\s{1,3}(?:%s)\s{1,3}"
_AT = "(?P<sure>{}|\\s{{1,3}}@\\s{{1,3}}|@\\s{{0,3}})|(?P<word>{})".format(
    _BRACKETED % f"@|{_AT_WORDS}", _SPACED % _AT_WORDS
)
_PLAIN_DOT = r"[ ]\.[ ]|\s{0,2}[\[({]\.[\])}]\s{0,2}"
_WORD_DOT = f"(?:{_BRACKETED % _DOT_WORDS}|{_SPACED % _DOT_WORDS})"
_SPELLED_DOT = f"(?:{_WORD_DOT}|{_PLAIN_DOT})"
_NAME = rf"[A-Za-z0-9_%+'{LETTERS}-]{{1,64}}+"
_LABEL = rf"[A-Za-z0-9{LETTERS}-]{{1,63}}+"
_ADDRESS = re.compile(
    rf"""(?<![A-Za-z0-9_%+'{LETTERS}-])
        {_NAME}(?:(?:\.|{_WORD_DOT}){_NAME}){{0,5}}
        (?:{_AT})
        (?P<domain>{_LABEL}(?:(?:\.|{_SPELLED_DOT}){_LABEL}){{0,5}}(?:\.|{_SPELLED_DOT})(?P<tld>[A-Za-z]{{2,24}}))(?![A-Za-z0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
_DOT = re.compile(_SPELLED_DOT, re.VERBOSE | re.IGNORECASE)
_AT_SIGN = re.compile(_AT, re.VERBOSE | re.IGNORECASE)
_PROVIDERS = re.compile(
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|live|icloud|proton|protonmail|gmx|aol|mail|yandex|web|t-online|orange)"
    r"\.[a-z]{2,4}(?:\.[a-z]{2})?",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[Span]:
    for match in _ADDRESS.finditer(text):
        if _is_address(match):
            yield match.span()


def _is_address(match: re.Match[str]) -> bool:
    if match.group("sure") == "@":
        return _DOT.search(match.group()) is not None
    if match.group("sure") is not None:
        return True
    domain = match.group("domain")
    return _DOT.search(domain) is not None or _PROVIDERS.fullmatch(domain) is not None


def canonical(value: str) -> str:
    """The address in its usual form."""
    match = _ADDRESS.fullmatch(value)
    if match is None:
        return value.casefold()
    at = match.group("sure") or match.group("word")
    local = value[: match.start("domain") - len(at)]
    return "@".join(_DOT.sub(".", part) for part in (local, match.group("domain"))).casefold()


_SEP = rb"[\s\[\](){}<>*]{1,6}"
_AT_GATE = b"(?:%s)" % _AT_WORDS.replace("[ ]", " ").encode()
_DOT_GATE = b"(?:%s)" % _DOT_WORDS.encode()
DETECTOR = Detector(
    Entity.EMAIL,
    "EMAIL",
    (
        rb"[\s\[({<*]@|@[\s\])}>*]",
        rb"(?i)[\[({<*]\s{0,2}" + _AT_GATE + rb"\s{0,2}[\])}>*]",
        rb"(?i)\s" + _AT_GATE + rb"\s{1,3}\S{1,255}(?:" + _SEP + _DOT_GATE + rb"[\s\])}>*]| \. |\s{0,2}[\[({]\.)",
        rb"(?i)" + _DOT_GATE + _SEP + rb"\S{1,255}\s{0,3}@",
        rb"(?i)@\s{0,3}\S{1,255}" + _SEP + _DOT_GATE,
        rb"@\s{0,3}\S{1,255}(?: \. |\s{0,2}[\[({]\.)",
        rb"(?i)\s"
        + _AT_GATE
        + rb"\s{1,3}(?:gmail|googlemail|yahoo|hotmail|outlook|live|icloud|proton|gmx|aol|mail|yandex|web|t-online|"
        + rb"orange)",
    ),
    find,
    canonical,
)
