"""Processes of the operator with the echo controller, and what tests do to them: ask, signal, read their log."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.apiserver import ROOT, ApiServer

ADMIN = {"endpoints": [], "profiles": [], "jobs": {"name": "jobs", "image": "x"}, "gateway": {"image": "x"}}


@dataclass
class Process:
    """One operator."""

    name: str
    port: int
    log: Path
    process: asyncio.subprocess.Process

    async def ask(self, path: str) -> tuple[int, str] | None:
        """What its health port answers; None when it does not."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(f"http://127.0.0.1:{self.port}{path}") as answer,
            ):
                return answer.status, (await answer.text()).strip()
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def role(self) -> str:
        """`leader` or `standby` once it is ready."""
        answer = await self.ask("/readyz")
        return answer[1] if answer is not None and answer[0] == 200 else ""

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(30):
            return await self.process.wait()

    def rss_mib(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@asynccontextmanager
async def operator(server: ApiServer, namespace: str, name: str, folder: Path) -> AsyncIterator[Process]:
    """Start one; what is left of it at the end is killed."""
    config, log, port = folder / "config.json", folder / f"{name}.log", _free_port()
    config.write_text(json.dumps(ADMIN))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}",
        "KUBECONFIG": str(server.kubeconfig),
        "FL_NAMESPACE": namespace,
        "FL_POD_NAME": name,
        "FL_CONFIG": str(config),
        "FL_HOST": "127.0.0.1",
        "FL_PORT": str(port),
    }
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.echo", env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        yield Process(name, port, log, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, *, seconds: float = 30.0) -> float:
    """Ask until it is so; the seconds that it took."""
    start = time.monotonic()
    while not await condition():
        assert time.monotonic() - start < seconds, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - start


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
