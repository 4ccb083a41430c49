"""What both protocols of the gateway allow a connection, and how they refuse the rest."""

from __future__ import annotations

from feedbackloop.gateway.asgi import problem

MAX_HEADERS = 16 << 10
REQUEST_SECONDS, IDLE_SECONDS, CHECK_SECONDS, LINGER_SECONDS = 30.0, 75.0, 5.0, 1.0

BAD_REQUEST = problem(400, "bad_request", "not an HTTP request")
HEADERS_TOO_LARGE = problem(431, "too_large", "the headers are larger than 16 KiB")
TOO_MANY_CONNECTIONS = problem(503, "overloaded", "too many connections", retry_after=1)


def content_length(value: bytes) -> int | None:
    """The declared length; None when it is none, or has more digits than any length that is taken."""
    return int(value) if value.isdigit() and len(value) < 12 else None
