"""A fake judge: a real OpenAI-compatible server over HTTP whose verdicts are made up as the test wants them.

No language model stands behind it. It knows which answer is better by a function of the two texts, and errs as
configured: always for the first place, for the longer answer, at random (by the digest of what it is asked, so
that a repetition gives the same verdict), in words instead of JSON, or with a status.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Better = Callable[[str, str], int]
"""1 when the first text is the better one, -1 when the second is, 0 when neither."""


def by_mark(one: str, other: str) -> int:
    """Texts of tests carry their worth as `[7]`."""
    first, second = (int(text[text.index("[") + 1 : text.index("]")]) for text in (one, other))
    return (first > second) - (first < second)


@dataclass
class FakeJudge:
    """How it errs: each a share of what it is asked."""

    better: Better = by_mark
    position: float = 0.0
    """It says A, whatever stands there."""
    length: float = 0.0
    """It takes the longer one."""
    noise: float = 0.0
    """It says anything."""
    garbage: float = 0.0
    """It chats instead of giving JSON."""
    favour: float = 0.0
    """It prefers the answer that has the word `candidate`, for a judge that leans to one model."""
    failures: list[int] = field(default_factory=list)
    """Statuses of its next answers; 0 hangs up."""
    token: str = ""
    model: str = "fake-judge"
    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def status(self, authorization: str, path: str, request: dict[str, Any]) -> int:
        with self.lock:
            self.asked.append(request)
            if self.failures:
                return self.failures.pop(0)
        if self.token and authorization != f"Bearer {self.token}":
            return 401
        return 200 if path == "/v1/chat/completions" and request.get("model") == self.model else 404

    def say(self, request: dict[str, Any]) -> str:
        data = json.loads(request["messages"][-1]["content"])
        one, other = data["answer_a"], data["answer_b"]
        chances = _chances(f"{one}\0{other}")
        if next(chances) < self.garbage:
            return "I like the first one, I think."
        verdict = self._verdict(one, other, chances)
        with self.lock:
            self.answers[verdict] += 1
        return json.dumps({"verdict": verdict})

    def _verdict(self, one: str, other: str, chances: Iterator[float]) -> str:
        if next(chances) < self.position:
            return "A"
        if next(chances) < self.length:
            return _named((len(one) > len(other)) - (len(one) < len(other)))
        if next(chances) < self.favour:
            return _named(("candidate" in one) - ("candidate" in other))
        if next(chances) < self.noise:
            return ("A", "B", "tie")[int(next(chances) * 3)]
        return _named(self.better(one, other))


def _named(sign: int) -> str:
    return {1: "A", -1: "B", 0: "tie"}[sign]


def _chances(text: str) -> Iterator[float]:
    """Numbers in [0, 1) that depend on the text only."""
    number = 0
    while True:
        digest = hashlib.sha256(f"{number}/{text}".encode()).digest()
        yield int.from_bytes(digest[:6], "big") / (1 << 48)
        number += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default of 5 a burst of connections waits a second for its second try


@contextmanager
def serving(judge: FakeJudge) -> Iterator[str]:
    """The URL up to `/v1`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet: else every answer waits for an acknowledgement

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = judge.status(self.headers.get("Authorization", ""), self.path, request)
            if status == 0:
                self.close_connection = True
                return
            choice = {"index": 0, "finish_reason": "stop"}
            body: dict[str, Any] = {"error": {"message": "no", "type": "fake"}}
            if status == 200:
                message = {"role": "assistant", "content": judge.say(request)}
                body = {"object": "chat.completion", "model": judge.model, "choices": [{**choice, "message": message}]}
            self._answer(status, json.dumps(body).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", "http://127.0.0.1:9/v1/chat/completions")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
