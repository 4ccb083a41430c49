"""Values that are assigned to a name such as `password` or `api_key`, and credentials of HTTP headers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_KNOWN_BY_HEART = (
    r"pass[ _-]?(?:word|wd|phrase|code)?|pwd|passwort|kennwort|contrase(?:n|ñ)a|senha|has(?:l|ł)o|mot[ ]de[ ]passe"
)
_KEY_NAMES = (
    r"(?:api|access|auth|secret|private|client|service|encryption|signing)[ _.-]?(?:key|token|secret)(?:[ _-]?id)?"
    r"|secret|token|credentials?|apikey"
)
_ASSIGNED = compiled(
    rf"""(?:(?P<password>{_KNOWN_BY_HEART})|(?P<key>{_KEY_NAMES}))
        ["']?(?P<link>\s{{0,3}}(?::=|=>|[:=])\s{{0,3}}|\s{{1,3}}(?:is|was|lautet|ist|est|es|jest)[:]?\s{{1,3}})
        (?:(?P<quote>["'`])(?P<quoted>[^"'`\s<>]{{6,256}})(?P=quote)|(?P<bare>[^\s"'`,;<>()\[\]{{}}]{{6,256}}))""",
    re.IGNORECASE,
)
_HEADER = compiled(r"(?:bearer|basic)[ ]{1,3}(?P<bare>[A-Za-z0-9._~+/=-]{16,4096})", re.IGNORECASE)
_CODE = re.compile(
    r"^(?:\$|%|\*|os\.|process\.|env\.|self\.|req\.|config\.|settings\.|https?://|\w+\.\w+\.|None|null|true|false)"
)
_LEAST_BITS = 2.5
"""Shannon entropy a character, below which a value is a word."""


def find(text: str) -> Iterator[Span]:
    for match in _ASSIGNED.finditer(text):
        if match.start() > 0 and text[match.start() - 1].isalpha() and text[match.start()].islower():
            continue
        group = "quoted" if match.group("quoted") else "bare"
        start, end = match.span(group)
        value = text[start:end].rstrip(".!?:" if group == "bare" else "")
        if _is_secret(value, match.group("password") is not None):
            yield start, start + len(value)


def find_header(text: str) -> Iterator[Span]:
    for match in _HEADER.finditer(text):
        if any(char.isdigit() for char in match.group("bare")):
            yield match.span("bare")


def _is_secret(value: str, password: bool) -> bool:
    if len(value) < 6 or _CODE.match(value) or not any(char.isdigit() or not char.isalnum() for char in value):
        return False
    if password:
        return any(char.isalpha() for char in value) or value.isdigit()
    return len(value) >= 12 and any(char.isdigit() for char in value) and entropy(value) >= _LEAST_BITS


def entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


_LINK = r"[\"']?(?:\s{0,3}[:=]|\s{1,3}(?:is|was|lautet|ist|est|es|jest)[:\s])"
ASSIGNED = Detector(
    Entity.SECRET,
    "SECRET",
    (rf"(?i)(?:{_KNOWN_BY_HEART}|{_KEY_NAMES}){_LINK}".replace("[ ]", " ").encode(),),
    find,
    str,
)
HEADER = Detector(Entity.SECRET, "SECRET", (rb"(?i)(?:bearer|basic) {1,3}[A-Za-z0-9._~+/=-]{16}",), find_header, str)
