"""What a browser may do here: cross-origin calls from listed origins (Fetch standard, CORS), and privacy signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from feedbackloop.api.collection import Browser
from feedbackloop.gateway.asgi import Answer, Headers, problem

ORIGIN, METHOD = b"origin", b"access-control-request-method"
PRIVACY = (b"sec-gpc", b"dnt")
HEADERS = frozenset({ORIGIN, METHOD, *PRIVACY})
"""The request headers that matter; most requests have none of them."""

_VARY: Headers = ((b"vary", b"Origin"),)
_METHODS = frozenset({b"GET", b"POST"})
_PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"7200"),
)
_REFUSED = problem(403, "forbidden", "this origin may not call the feedback port")


class How(NamedTuple):
    """How a request came, besides its token."""

    lines: bool = False
    """NDJSON."""
    private: bool = False
    """The browser asks for privacy: Sec-GPC (Global Privacy Control) or DNT."""
    cors: Headers = ()
    """Go into the answer, whatever it is."""
    consent: bool = False
    """It speaks of consent, not of an answer."""


PLAIN, LINES, CONSENT = How(), How(lines=True), How(consent=True)


@dataclass(frozen=True)
class BrowserPolicy:
    """`collection.browser`, compiled."""

    allowed: Mapping[bytes, Headers]
    honors_privacy: bool

    @classmethod
    def of(cls, browser: Browser) -> BrowserPolicy:
        return cls({origin.encode(): _allowing(origin.encode()) for origin in browser.allowed_origins},
                   browser.honor_privacy_signals)  # fmt: skip

    def how(self, headers: Mapping[bytes, bytes], *, lines: bool) -> How:
        """What follows from the headers of a request."""
        private = self.honors_privacy and any(headers.get(name) == b"1" for name in PRIVACY)
        return How(lines, private, self.cors(headers))

    def cors(self, headers: Mapping[bytes, bytes]) -> Headers:
        """Without a listed origin the browser keeps the answer from the page; there are never credentials."""
        origin = headers.get(ORIGIN)
        return () if origin is None else self.allowed.get(origin, _VARY)

    def preflight(self, headers: Mapping[bytes, bytes]) -> Answer:
        """The answer to OPTIONS."""
        allowed = self.allowed.get(headers.get(ORIGIN, b""))
        if allowed is None or headers.get(METHOD) not in _METHODS:
            return Answer(_REFUSED.status, _REFUSED.body, (*_REFUSED.headers, *_VARY))
        return Answer(200, b"", (*allowed, *_PREFLIGHT))


def _allowing(origin: bytes) -> Headers:
    expose = (b"access-control-expose-headers", b"retry-after")
    return ((b"access-control-allow-origin", origin), expose, *_VARY)


def extended(answer: Answer, headers: Headers) -> Answer:
    """The answer with more headers."""
    return Answer(answer.status, answer.body, (*answer.headers, *headers)) if headers else answer
