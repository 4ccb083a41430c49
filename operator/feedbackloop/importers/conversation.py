"""Inputs and outputs as tracing tools keep them, in whatever shape, to messages and an answer."""

from __future__ import annotations

import json
from typing import Any

from feedbackloop.importers.model import listed, mapping, text

_ASKED = ("messages", "input", "inputs", "prompt", "question", "query", "request")
_ANSWERED = ("choices", "message", "messages", "content", "output", "outputs", "answer", "response", "completion")


def messages(given: Any) -> list[dict[str, str]]:
    """The conversation of an input: a list of messages, an object around one, or a plain question."""
    value = _parsed(given)
    if isinstance(value, str):
        return [{"role": "user", "content": value}] if value.strip() else []
    if isinstance(value, list):
        made = [
            {"role": text(item.get("role")) or "user", "content": content(item)} for item in map(mapping, value) if item
        ]
        return [message for message in made if message["content"]]
    inner = (value[name] for name in _ASKED if name in value) if isinstance(value, dict) else ()
    return next((found for part in inner if (found := messages(part))), [])


def answer(given: Any) -> str:
    """The answer of an output: a plain text, a message, a chat completion, or the last of a list of messages."""
    value = _parsed(given)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((found for item in reversed(value) if (found := answer(item))), "")
    inner = (value[name] for name in _ANSWERED if name in value) if isinstance(value, dict) else ()
    found = next((found for part in inner if (found := answer(part))), "")
    return found or content(value) or text(mapping(value).get("text"))


def content(message: Any) -> str:
    """The text of one message; parts of other kinds are not kept."""
    body = mapping(message).get("content", mapping(message).get("parts"))
    if isinstance(body, str):
        return body
    texts = (
        text(part) or text(mapping(part).get("text")) or text(mapping(part).get("content")) for part in listed(body)
    )
    return "\n".join(part for part in texts if part)


def _parsed(value: Any) -> Any:
    """Some exports carry JSON inside a text."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
