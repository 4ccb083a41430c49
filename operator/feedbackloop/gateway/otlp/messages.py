"""Conversations as GenAI spans carry them, in the current form and the two older ones, to roles and texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from feedbackloop.gateway.otlp.model import Attributes, SpanEntry

_decode = msgspec.json.Decoder().decode
_FLAT = re.compile(r"gen_ai\.(prompt|completion)\.([0-9]{1,4})\.(role|content)")
_ROLES = {"gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
          "gen_ai.tool.message": "tool"}  # fmt: skip


class Said(NamedTuple):
    """A message."""

    role: str
    content: str


class Conversation(NamedTuple):
    """What was asked, and the answers that were given to it."""

    asked: list[Said]
    answers: list[str]


def conversation(span: SpanEntry) -> Conversation:
    """The conversation of a span; both lists are empty when its exporter does not capture content."""
    found = current(span.attributes)
    if not found.answers:
        found = next((current(event.attributes) for event in span.events if _has_messages(event.attributes)), found)
    if not found.answers:
        found = _by_events(span)
    return found if found.answers else _flattened(span.attributes)


def current(attributes: Attributes) -> Conversation:
    """`gen_ai.input.messages`, `gen_ai.system_instructions` and `gen_ai.output.messages`."""
    system = [
        Said("system", _content(parts)) for parts in [parsed(attributes.get("gen_ai.system_instructions"))] if parts
    ]
    asked = list(_messages(attributes.get("gen_ai.input.messages")))
    answers = [said.content for said in _messages(attributes.get("gen_ai.output.messages"))]
    return Conversation(system + asked, answers)


def _has_messages(attributes: Attributes) -> bool:
    return "gen_ai.output.messages" in attributes


def _messages(value: Any) -> Iterable[Said]:
    listed = parsed(value)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            role = item.get("role")
            parts = item["parts"] if "parts" in item else item.get("content")
            yield Said(role if isinstance(role, str) else "user", _content(parts))


def parsed(value: Any) -> Any:
    """Structured attributes come as JSON text or as they are."""
    if not isinstance(value, str):
        return value
    try:
        return _decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return value


def _content(parts: Any) -> str:
    """The text of a message; parts of other kinds (images, tool calls) are not kept."""
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        return ""
    return "\n".join(found for part in parts if (found := _part(part)))


def _part(part: Any) -> str:
    if not isinstance(part, dict) or part.get("type", "text") != "text":
        return ""
    content = part.get("content", part.get("text"))
    return content if isinstance(content, str) else ""


def _by_events(span: SpanEntry) -> Conversation:
    """The span events of 2024 and 2025: one a message, `gen_ai.choice` for an answer, or all in one JSON text."""
    found = Conversation([], [])
    for event in span.events:
        given = event.attributes
        if role := _ROLES.get(event.name):
            found.asked.append(Said(role, _content(parsed(given.get("content")))))
        elif event.name == "gen_ai.choice":
            found.answers.append(_choice(given))
        found.asked.extend(_messages(given.get("gen_ai.prompt")))
        found.answers.extend(said.content for said in _messages(given.get("gen_ai.completion")))
    return found


def _choice(given: Attributes) -> str:
    message = parsed(given.get("message", given.get("content")))
    return _content(message.get("content") if isinstance(message, dict) else message)


def _flattened(attributes: Attributes) -> Conversation:
    """`gen_ai.prompt.<n>.role`, `gen_ai.prompt.<n>.content`, `gen_ai.completion.<n>.content`."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for name, value in attributes.items():
        if (match := _FLAT.fullmatch(name)) and isinstance(value, str):
            found.setdefault((match[1], int(match[2])), {})[match[3]] = value
    told = [(side, item) for (side, _), item in sorted(found.items())]
    asked = [Said(item.get("role", "user"), item.get("content", "")) for side, item in told if side == "prompt"]
    return Conversation(asked, [item.get("content", "") for side, item in told if side == "completion"])
