"""A real MLflow server for tests, from its own environment, on a free loopback port."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import envs

READY_WITHIN_SECONDS = 120.0


@contextmanager
def mlflow_server(directory: Path) -> Iterator[str]:
    """The tracking URI of a server that is ready, and is gone afterwards with its workers."""
    with mlflow_process(directory) as (uri, _):
        yield uri


@contextmanager
def mlflow_process(directory: Path) -> Iterator[tuple[str, int]]:
    """The same, with the leader of the session that the server and its workers run in."""
    directory.mkdir(parents=True, exist_ok=True)
    port, log = _free_port(), directory / "mlflow.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(directory, port),
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _command(directory: Path, port: int) -> list[str]:
    return [
        str(envs.ensure("mlflow") / "bin" / "mlflow"),
        "server",
        "--host=127.0.0.1",
        f"--port={port}",
        "--workers=1",
        f"--backend-store-uri=sqlite:///{directory}/mlflow.db",
        f"--artifacts-destination={directory}/artifacts",
        "--allowed-hosts=127.0.0.1:*",
    ]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"MLflow did not become ready, see {log}:\n{tail}")
        time.sleep(0.2)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
