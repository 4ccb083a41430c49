"""A small OpenAI-compatible server for proxy tests: it answers with its own name, whole or streamed."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def setup(self) -> None:
        super().setup()
        self.server.model.connections.add(self.connection)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": "bot", "object": "model"}]})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model: Model = self.server.model
        model.requests.append((dict(self.headers), request))
        if model.status != 200:
            self._send(model.status, {"error": {"message": f"trouble in {model.name}"}})
        elif not model.answers.wait(60):
            self.close_connection = True
        elif request.get("stream"):
            self._stream(model)
        else:
            message = {"role": "assistant", "content": model.says(), "tool_calls": model.tool_calls}
            self._send(200, {"id": "c-1", "model": model.name, "system_fingerprint": f"fp-{model.name}",
                             "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})  # fmt: skip

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-served-by", self.server.model.name)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: Model) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for index, word in enumerate(model.words()):
            chunk = {"model": model.name, "choices": [{"index": 0, "delta": {"content": word}}]}
            self._chunk(f"data: {json.dumps(chunk)}\n\n".encode())
            if index == 0:
                model.first_sent.set()
                assert model.go_on.wait(20)
            if model.breaks:
                self.close_connection = True
                self.connection.close()
                return
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


class Model:
    """A running model server; set `status` or `breaks` to make it fail, clear `go_on` to hold a stream in its midst,
    and `answers` to hold every answer before its first byte; `content` replaces what it says."""

    content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None

    def __init__(self, name: str, port: int = 0, host: str = "127.0.0.1") -> None:
        self.name, self.status, self.breaks = name, 200, False
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.first_sent, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.answers = threading.Event()
        self.answers.set()
        self._server = ThreadingHTTPServer((host, port), _Handler)
        self._server.daemon_threads = True
        self._server.model = self  # type: ignore[attr-defined]
        self.connections: set[socket.socket] = set()
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def words(self) -> list[str]:
        """The pieces of a stream."""
        return ["answer ", "of ", self.name] if self.content is None else [self.content]

    def says(self) -> str:
        return "".join(self.words())

    def backend(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "digest": "sha256:" + "b" * 64}

    def stop(self) -> None:
        """As a killed pod: open connections end, new ones are refused."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
