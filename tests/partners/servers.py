"""The two arms as servers of this process, and a client that counts who answered."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cluster.partners.contour import host_address

HOST = "support.example.net"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def arm(name: str) -> Iterator[int]:
    """A server that answers its name, on an address that EndpointSlices accept; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            body = name.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with Server((host_address(), 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@dataclass
class Client:
    """One keep-alive connection to the Gateway."""

    address: str
    port: int
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)

    def ask(self, path: str = "/v1/chat", **headers: str) -> str:
        """Who answered, or the status with its words when it was not 200, or the error."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.address, self.port, timeout=10)
        sent = {"Host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            self._connection.request("GET", path, headers=sent)
            answer = self._connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            return type(error).__name__
        return body if answer.status == 200 else f"{answer.status} {body[:120]}"

    def count(self, requests: int, **headers: str) -> Counter[str]:
        """Who answered how often."""
        return Counter(self.ask(**headers) for _ in range(requests))


@dataclass
class Traffic:
    """Open-loop requests in the background: each with the time at which it was sent and who answered."""

    client: Client
    per_second: float = 100.0
    answers: list[tuple[float, str]] = field(default_factory=list)

    @contextmanager
    def flowing(self) -> Iterator[Traffic]:
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stopped.set()
            thread.join()

    def _run(self, stopped: threading.Event) -> None:
        due = time.monotonic()
        while not stopped.wait(max(0.0, due - time.monotonic())):
            due += 1 / self.per_second
            sent = time.monotonic()
            self.answers.append((sent, self.client.ask()))

    @property
    def failed(self) -> list[str]:
        """Answers of neither arm."""
        return self.failed_since(0.0)

    def failed_since(self, moment: float) -> list[str]:
        """Of the requests that were sent after it."""
        return [who for sent, who in self.answers if sent >= moment and who not in ("stable", "canary")]
