"""A gateway's HTTP as a script: each request gets the next answer, and is kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNALS = {
    "signals": [
        {"name": "helpful", "kind": "Thumbs"},
        {"name": "why", "kind": "Reason", "values": ["inaccurate"]},
        {"name": "note", "kind": "Comment"},
        {"name": "correct", "kind": "Question", "dimension": "Factuality"},
        {"name": "happy", "kind": "Question", "dimension": "Satisfaction"},
        {"name": "prefer", "kind": "Preference"},
        {"name": "copied", "kind": "Copy"},
    ]
}
DROP = "drop"


@dataclass
class Script:
    """What the server was asked, and what it answers next: `(status, headers)` or DROP; 202 when nothing is left."""

    answers: list[Any] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""
    outcome: Callable[[list[Any]], Any] = lambda events: {"accepted": len(events), "duplicate": 0, "rejected": []}

    def events(self) -> list[dict[str, Any]]:
        return [event for _, _, body in self.asked if body for event in body["events"]]


@contextmanager
def scripted() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, {}, SIGNALS)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append((self.path, dict(self.headers), body))
            answer = script.answers.pop(0) if script.answers else (202, {})
            if answer == DROP:
                self.close_connection = True
                self.connection.close()
                return
            status, headers = answer
            told = script.outcome(body.get("events", [body])) if status in (202, 422) else {"error": {"code": "no"}}
            self._answer(status, headers, told)

        def _answer(self, status: int, headers: dict[str, str], body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
