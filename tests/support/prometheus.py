"""A real Prometheus for tests: Debian's server on loopback, scraping one small exporter every second.

    with exporter() as numbers, Prometheus(tmp_path, numbers.port) as prometheus:
        numbers.set("requests_total", 5, arm="canary")

It is killed, not asked to stop: a kill is what an outage looks like, and nobody needs the data.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from tests.cluster.packages import install
from tests.support.seaweedfs import free_ports

PACKAGE = {"prometheus": "prometheus"}
READY_WITHIN_SECONDS = 60.0
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- {job_name: test, static_configs: [{targets: ["127.0.0.1:%d"]}]}
"""


@dataclass
class Numbers:
    """What the exporter says: series to value."""

    port: int = 0
    series: dict[str, float] = field(default_factory=dict)

    def set(self, name: str, value: float, **labels: str) -> None:
        inside = ",".join(f'{label}="{text}"' for label, text in sorted(labels.items()))
        self.series[f"{name}{{{inside}}}"] = value

    def text(self) -> bytes:
        return "".join(f"{series} {value}\n" for series, value in sorted(self.series.items())).encode()


@contextmanager
def exporter() -> Iterator[Numbers]:
    """Numbers that are scraped from a free port."""
    numbers = Numbers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(numbers.text())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    numbers.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield numbers
    finally:
        server.shutdown()
        server.server_close()


class Prometheus:
    """A server that may be killed and started again over the same data, on the same port."""

    def __init__(self, directory: Path, exporter_port: int) -> None:
        install(PACKAGE, "tests of Prometheus guardrails")
        directory.mkdir(parents=True, exist_ok=True)
        (self._port,) = free_ports(1)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "prometheus.yml").write_text(CONFIG % exporter_port)
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Prometheus:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Until it is ready."""
        with (self._directory / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + READY_WITHIN_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self._directory / "prometheus.log").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def await_samples(self, query: str) -> None:
        """Until the query gives something."""
        end = time.monotonic() + READY_WITHIN_SECONDS
        while not self._result(query):
            if time.monotonic() > end:
                raise RuntimeError(f"{query} gives nothing")
            time.sleep(0.1)

    def _result(self, query: str) -> list[object]:
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            found: list[object] = json.load(answer)["data"]["result"]
        return found

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _command(self) -> list[str]:
        return [
            "prometheus",
            f"--config.file={self._directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
        ]
