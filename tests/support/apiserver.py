"""A real API server for a test session: the light cluster of `tests.cluster` with our CRDs, and fresh namespaces."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import api, description, supervisor

ROOT = Path(__file__).resolve().parents[2]
TOOL = ("/usr/bin/python3", "-m", "tests.cluster")


@dataclass(frozen=True)
class ApiServer:
    """A running one."""

    name: str
    kubeconfig: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl; its standard output."""
        command = (str(api.binary("kubectl")), f"--kubeconfig={self.kubeconfig}", *words)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr[-1500:]}"
        return done.stdout

    def apply(self, *bodies: dict[str, Any]) -> None:
        """Apply these objects as a person would."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(bodies)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def install(self) -> None:
        """Our CRDs, served."""
        self.apply(*_crds())
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")

    def kill(self, component: str) -> None:
        """SIGKILL one of its processes; `start` brings it back."""
        identity = supervisor.identities(description.load(self.name))[component]
        os.kill(identity.pid, signal.SIGKILL)

    def start(self) -> None:
        """Start what is missing of it."""
        subprocess.run((*TOOL, "up", "--profile", "light", "--name", self.name), cwd=ROOT, check=True)

    def namespace(self) -> str:
        """A new one."""
        name = f"t-{next(self._numbers)}-{uuid.uuid4().hex[:6]}"
        self.kubectl("create", "namespace", name)
        return name

    def audit(self, user_agent: str = "") -> list[dict[str, Any]]:
        """The requests so far of clients whose user agent begins so."""
        lines = api.audit_log(self.name).read_text().splitlines()
        events = (json.loads(line) for line in lines if line.endswith("}"))
        return [e for e in events if str(e.get("userAgent", "")).startswith(user_agent)]


def _crds() -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]


@contextmanager
def api_server(name: str, *, keep: bool = False) -> Iterator[ApiServer]:
    """Up with our CRDs; down at the end, unless it is to be kept."""
    up = subprocess.run(
        (*TOOL, "up", "--profile", "light", "--name", name), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    server = ApiServer(name, Path(up.stdout.strip()))
    try:
        server.install()
        yield server
    finally:
        if not keep:
            subprocess.run((*TOOL, "down", "--name", name), cwd=ROOT, check=True)
