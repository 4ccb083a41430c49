"""Reading OpenAI-compatible bodies (pure): messages in, outputs out, and nothing that tells the revision.

The `model` of an answer becomes the one that the client asked for and `system_fingerprint` is dropped:
both could name the revision that answered.
"""

from __future__ import annotations

from typing import Any

import msgspec

from feedbackloop.events.records import Message

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
Json = dict[str, Any]
DONE = b"[DONE]"
"""The data of a stream's last event."""


def parse_object(body: bytes) -> Json | None:
    """A JSON object, None when it is anything else."""
    try:
        value = _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return value if isinstance(value, dict) else None


def messages(request: Json) -> tuple[Message, ...] | None:
    """The conversation of a request, text only; None when it has none."""
    listed = request.get("messages")
    if not isinstance(listed, list) or not listed:
        return None
    if not all(isinstance(item, dict) and isinstance(item.get("role"), str) for item in listed):
        return None
    return tuple(Message(role=item["role"], content=_text(item.get("content"))) for item in listed)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def neutral(response: Json, request: Json) -> Json:
    """The answer without what could tell the revision."""
    cleaned = {name: value for name, value in response.items() if name != "system_fingerprint"}
    if "model" in cleaned:
        cleaned["model"] = request.get("model") or "default"
    return cleaned


def encode(value: Json) -> bytes:
    return _encode(value)


def outputs(response: Json) -> list[str]:
    """The texts of an answer's choices, in order of their index; empty when it is no completion."""
    choices = response.get("choices")
    if not isinstance(choices, list):
        return []
    return [_text((choice.get("message") or {}).get("content")) for choice in choices if isinstance(choice, dict)]


def calls_tools(response: Json) -> bool:
    """Whether some choice of an answer is, or has, a call of a tool."""
    choices = response.get("choices")
    parts = [choice.get("message") for choice in choices or () if isinstance(choice, dict)]
    return any(_calls(part) for part in parts)


def _calls(part: Any) -> bool:
    return isinstance(part, dict) and bool(part.get("tool_calls") or part.get("function_call"))


def asks_for_tools(request: Json) -> bool:
    """Whether the request lets the model call tools."""
    return bool(request.get("tools") or request.get("functions"))


class StreamedText:
    """Collects the texts of a streamed answer, choice by choice."""

    def __init__(self) -> None:
        self._parts: dict[int, list[str]] = {}
        self.calls_tools = False
        self.begun = False
        """Whether any content has come; the first piece of most streams has a role and no text."""

    def take(self, chunk: Json) -> None:
        """Adds one `chat.completion.chunk`."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            content = delta.get("content") if isinstance(delta, dict) else None
            self.calls_tools = self.calls_tools or _calls(delta)
            self.begun = self.begun or bool(content) or self.calls_tools
            if isinstance(content, str):
                self._parts.setdefault(int(choice.get("index") or 0), []).append(content)

    def outputs(self) -> list[str]:
        return ["".join(self._parts[index]) for index in sorted(self._parts)]


class EventStream:
    """Cuts server-sent events out of byte pieces (WHATWG HTML §9.2): whole events only."""

    MAX_PENDING = 4 << 20

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that became whole, each with its blank line. Raises ValueError for one without end."""
        data = (self._pending + piece).replace(b"\r\n", b"\n")
        *whole, self._pending = data.split(b"\n\n")
        if len(self._pending) > self.MAX_PENDING:
            raise ValueError("an event without end")
        return [event + b"\n\n" for event in whole]

    def rest(self) -> bytes:
        """What came after the last whole event."""
        return self._pending


def event_data(event: bytes) -> bytes | None:
    """The data of an event that has exactly one data line, else None."""
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return lines[0] if len(lines) == 1 else None
