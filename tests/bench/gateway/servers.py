"""The servers that a benchmark starts: the gateway, the bare echo server, and how a run is verified."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import load
from tests.bench.gateway import cpu, storage
from tests.bench.gateway.payloads import Requests
from tests.gateway.process import ROOT, Gateway, free_port, make_config
from tests.gateway.waiting import wait_for

CONNECTIONS = 32
SESSIONS = 500
"""Feedback tokens in use: a token stands for an answer, and few answers get more than a handful of events."""
ENV = {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on a disk; `FL_BENCH_DIR` names another place than the system's."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("FL_BENCH_DIR")) as folder:
        yield Path(folder)


@contextmanager
def gateway(*, module: str = "feedbackloop.gateway", env: dict[str, str] | None = None, model_port: int = 1,
            away: bool = True, **collection: Any) -> Iterator[Gateway]:  # fmt: skip
    """A started gateway. Its object storage goes `away` once it is ready: then everything stays on the volume."""
    with scratch() as folder:
        s3 = storage.shared()
        config = make_config(s3_url=s3.url, folder=f"{uuid.uuid4().hex}/", stable_port=model_port)
        config["collection"] |= {"flushSeconds": 3600} | collection
        started = Gateway(folder, config, (s3.access_key, s3.secret_key), **(ENV | (env or {})))
        started.module = module
        try:
            with cpu.core(cpu.SERVER):
                started.start()
            if away:
                reconfigure(started, storage=config["storage"] | {"url": f"http://127.0.0.1:{free_port()}"})
            yield started
        finally:
            started.kill()


@contextmanager
def python_server(module: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """A server of ours in a process of its own: (pid, port), once it answers."""
    port = free_port()
    with cpu.core(cpu.SERVER if "echo" in module else cpu.LOAD):
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(port), *arguments], env=os.environ | ENV, cwd=ROOT
        )
    try:
        wait_for(lambda: _answers(port), f"{module} answers")
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def echo() -> Any:
    """The baseline of the ratios."""
    return python_server("tests.bench.echo_server")


def _answers(port: int) -> bool:
    try:
        return load.run(port, [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], connections=1).statuses != {}
    except OSError:
        return False


def tokens(started: Gateway, count: int = SESSIONS) -> list[str]:
    """Feedback tokens of so many sessions."""
    return [started.token(session_id=f"s-{index}") for index in range(count)]


def rate(pid: int, port: int, sent: Requests, *, connections: int = CONNECTIONS) -> float:
    """Events per CPU-second of the server, everything answered 202."""
    before = cpu.seconds(pid)
    with cpu.core(cpu.LOAD):
        result = load.run(port, sent.wires, connections=connections)
    assert result.accepted == len(sent.wires), f"not everything was accepted: {result.statuses}"
    return sent.events / (cpu.seconds(pid) - before)


def verify(started: Gateway, sent: Sequence[Requests]) -> None:
    """What was answered 202 is what the log holds: after SIGKILL and a restart every id is known, and no other is."""
    events, stored = sum(part.events for part in sent), started.status()["stored"]
    started.kill()
    started.start()
    status = started.status()
    assert status["stored"] == stored, f"{stored} stored before the kill, {status['stored']} after"
    for part in sent:
        load.run(started.feedback, part.wires, connections=CONNECTIONS)
    # Repetitions are answered at once and counted a moment later.
    wait_for(
        lambda: started.status()["duplicate"] - status["duplicate"] == events,
        f"all of {events} events are known after the kill",
    )
    assert started.status()["stored"] == stored


def reconfigure(started: Gateway, **members: Any) -> None:
    """Changes members of the configuration and waits until the gateway reports the new revision."""
    before = started.status()["revision"]
    started.configure(started.config | members)
    wait_for(lambda: started.status()["revision"] != before, "the new configuration is reported")
