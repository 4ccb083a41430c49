"""What was asked and what was shown, as the parts around the proxy hand it on."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.events.records import Message
from feedbackloop.events.refusals import refused
from feedbackloop.gateway.completions import Json


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a completion."""

    request: Json
    messages: tuple[Message, ...]
    body: bytes
    """As the client sent it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole answer that a user got: of several choices the first."""

    content: str
    latency_ms: int
    """Until its end."""


def told_of(texts: list[str], *, tools: bool) -> dict[str, bool]:
    """What the counts want to know of a whole answer, as fields of Serving. An answer declines, or is empty, by its
    first choice; a call of a tool is neither."""
    first = texts[0] if texts else ""
    return {"refused": not tools and refused(first), "empty": not tools and not first.strip()}
