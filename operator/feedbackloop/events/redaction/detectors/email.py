"""E-mail addresses as they are written (RFC 5321, 5322, 6531): from every `@`, left and right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors.detector import Detector, Span

LETTERS = "\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff"
"""Letters with accents, Greek and Cyrillic: scripts with spaces between words, so that none is glued on."""
LABEL = rf"[A-Za-z0-9{LETTERS}](?:[A-Za-z0-9{LETTERS}-]{{0,61}}[A-Za-z0-9{LETTERS}])?"
TLD = rf"(?:xn--[A-Za-z0-9-]{{2,59}}|[A-Za-z]{{2,24}}|[{LETTERS}]{{2,24}})"
_LOCAL_BACKWARDS = re.compile(
    rf"(?:[A-Za-z0-9_%+'-]|[{LETTERS}]|\.(?=[^.]))[A-Za-z0-9._%+'{LETTERS}-]{{0,63}}|\"[^\"\n]{{1,62}}\""
)
_DOMAIN = re.compile(rf"(?:{LABEL}\.){{1,8}}{TLD}(?![A-Za-z0-9])|\[[0-9A-Fa-f:.]{{7,45}}\]")
_FILE = re.compile(r"png|jpe?g|gif|svg|webp|css|[jt]sx?|json|html?|xml|ya?ml|txt|pdf|log|toml|lock", re.IGNORECASE)
_FORGES = ("git@github.com", "git@gitlab.com", "git@bitbucket.org", "git@ssh.dev.azure.com")


def find(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        span = _around(text, at)
        if span is not None:
            yield span
        at = text.find("@", at + 1)


def _around(text: str, at: int) -> Span | None:
    local = _LOCAL_BACKWARDS.match(text[max(0, at - 64) : at][::-1])
    domain = _DOMAIN.match(text, at + 1)
    if local is None or domain is None:
        return None
    start = at - len(local.group().rstrip("'"))
    return None if start == at or _is_no_address(text[start : domain.end()]) else (start, domain.end())


def _is_no_address(value: str) -> bool:
    return _FILE.fullmatch(value.rpartition(".")[2]) is not None or value.lower() in _FORGES


DETECTOR = Detector(Entity.EMAIL, "EMAIL", (rb"[^\s@]@[^\s@]",), find, str.casefold)
