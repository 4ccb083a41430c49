"""A model server that costs next to nothing: `python -m tests.bench.gateway.stub_model PORT`.

It answers every POST with the same completion, or streams it as server-sent events when the request asks for that.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn
import uvloop

from feedbackloop.gateway.servers import config

WORDS = ("Purchases can be returned within thirty days when the receipt is there. " * 4).split()
HEAD = {"id": "chatcmpl-1", "created": 1700000000, "model": "stub-7b", "system_fingerprint": "fp"}


def _whole() -> bytes:
    message = {"role": "assistant", "content": " ".join(WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 40, "completion_tokens": len(WORDS), "total_tokens": 40 + len(WORDS)}
    return json.dumps(HEAD | {"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps(HEAD | {"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


WHOLE = _whole()
CHUNKS = [
    _chunk({"role": "assistant", "content": ""}),
    *(_chunk({"content": word + " "}) for word in WORDS),
    _chunk({}, "stop"),
    b"data: [DONE]\n\n",
]


async def model(_scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    streamed = b'"stream": true' in body or b'"stream":true' in body
    kind = b"text/event-stream" if streamed else b"application/json"
    headers = [(b"content-type", kind)]
    if not streamed:
        headers.append((b"content-length", str(len(WHOLE)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for chunk in CHUNKS if streamed else ():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if streamed else WHOLE})


if __name__ == "__main__":
    uvloop.run(uvicorn.Server(config(model, host="127.0.0.1", port=int(sys.argv[1]))).serve())
