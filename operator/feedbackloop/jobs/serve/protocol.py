"""OpenAI's chat completions as JSON: requests in, answers and chunks out."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from feedbackloop.jobs.generation import Answer, Request

MAX_TOKENS = 256
DEFAULT_TOKENS = 48


class BadRequestError(ValueError):
    """A request that cannot be answered; the message is for its sender."""


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part]

    def flat(self) -> dict[str, str]:
        parts = self.content
        return {"role": self.role, "content": parts if isinstance(parts, str) else "".join(p.text for p in parts)}


class _Body(msgspec.Struct):
    messages: list[_Message]
    stream: bool = False
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int = 1


_decoder = msgspec.json.Decoder(_Body)


def parse(data: bytes) -> tuple[Request, bool]:
    """The request, and whether the answer is streamed."""
    try:
        body = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise BadRequestError(str(error)) from None
    if not body.messages:
        raise BadRequestError("messages must not be empty - at `$.messages`")
    if body.n != 1:
        raise BadRequestError("only one answer a request is given - at `$.n`")
    wanted = body.max_completion_tokens or body.max_tokens or DEFAULT_TOKENS
    return Request([message.flat() for message in body.messages], max(1, min(wanted, MAX_TOKENS))), body.stream


@dataclass(frozen=True)
class Reply:
    """The identity of one reply, and its shapes."""

    model: str
    id: str
    created: int

    @classmethod
    def new(cls, model: str) -> Reply:
        return cls(model, f"chatcmpl-{uuid.uuid4().hex}", int(time.time()))

    def whole(self, answer: Answer, text: str) -> bytes:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": answer.finish}
        return self._encode("chat.completion", choice, usage=usage(answer))

    def chunk(self, delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: " + self._encode("chat.completion.chunk", choice) + b"\n\n"

    def _encode(self, kind: str, choice: dict[str, Any], **more: Any) -> bytes:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return msgspec.json.encode({**head, "choices": [choice], **more})


DONE = b"data: [DONE]\n\n"


def usage(answer: Answer) -> dict[str, int]:
    prompt, completion = len(answer.prompt), len(answer.tokens)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def models(name: str) -> bytes:
    entry = {"id": name, "object": "model", "created": 0, "owned_by": "feedbackloop"}
    return msgspec.json.encode({"object": "list", "data": [entry]})


def problem(message: str, kind: str = "invalid_request_error") -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": None}})
