"""Internet addresses: IPv4 in dotted quads, IPv6 in all forms of RFC 4291."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors import context
from feedbackloop.events.redaction.detectors.detector import Detector, Span, compiled

_DOT = r"(?:\.[\r\n]{0,2}|[\r\n]{1,2}\.|\[\.\]|[ ]\.[ ])"
_V4 = compiled(rf"[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}(?!\.?[0-9])")
_LONGER = compiled(r"(?:[0-9]|[0-9]\.)\Z")
_V6 = compiled(r"(?<![0-9A-Za-z])[0-9A-Fa-f:]{2,41}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?![0-9A-Za-z:]))")


def _find_v4(text: str) -> Iterator[Span]:
    for match in _V4.finditer(text):
        lead = context.before(text, match.start())
        if _is_v4(match.group()) and not (_LONGER.search(lead[-2:]) or context.VERSION.search(lead)):
            yield match.span()


def _is_v4(candidate: str) -> bool:
    return all(int(octet) < 256 and (octet == "0" or octet[0] != "0") for octet in _split(candidate))


_split = compiled(_DOT).split


def _find_v6(text: str) -> Iterator[Span]:
    for match in _V6.finditer(text):
        start, end = match.span()
        start += text.startswith(":", start) and not text.startswith("::", start)
        end -= text.endswith(":", start, end) and not text.endswith("::", start, end)
        if _is_v6(text[start:end]):
            yield start, end


def _is_v6(candidate: str) -> bool:
    if candidate.count(":") < 2 or not any(char.isdigit() for char in candidate):
        return False
    try:
        ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return True


def _canonical_v6(value: str) -> str:
    return str(ipaddress.IPv6Address(value))


_DOT_GATE = rb"(?:\.[\r\n]{0,2}|[\r\n]{1,2}\.|\[\.\]| \. )"
V4 = Detector(
    Entity.IP_ADDRESS,
    "IP_ADDRESS",
    (rb"[0-9]" + _DOT_GATE + rb"[0-9]{1,3}" + _DOT_GATE + rb"[0-9]{1,3}" + _DOT_GATE + rb"[0-9]",),
    _find_v4,
    lambda value: ".".join(_split(value)),
)
V6 = Detector(
    Entity.IP_ADDRESS,
    "IP_ADDRESS",
    (rb":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]", rb"[0-9]::"),
    _find_v6,
    _canonical_v6,
)
