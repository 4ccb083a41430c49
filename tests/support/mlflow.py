"""A real MLflow server for tests, from its locked environment, on a free loopback port; it starts in about 20 s."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import envs

READY_WITHIN_SECONDS = 120.0


@contextmanager
def mlflow_server(folder: Path, *, allowed_hosts: str = "127.0.0.1:*") -> Iterator[str]:
    """Its URL, until the end of the block."""
    port = _free_port()
    log = folder / "mlflow.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(folder, port, allowed_hosts), env=_environment(folder), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _command(folder: Path, port: int, allowed_hosts: str) -> list[str]:
    program = envs.ensure("mlflow") / "bin" / "mlflow"
    options = {
        "backend-store-uri": f"sqlite:///{folder}/mlflow.db",
        "artifacts-destination": str(folder / "artifacts"),
        "host": "127.0.0.1",
        "port": str(port),
        "workers": "1",
        "allowed-hosts": allowed_hosts,
    }
    return [str(program), "server", *(f"--{name}={value}" for name, value in options.items())]


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_SECONDS
    while not _answers(url):
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < end, f"{url} does not answer: {log.read_text()[-2000:]}"
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
