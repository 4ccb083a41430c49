"""The chart installed by helm on a real API server, and people with real tokens."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.apiserver import ROOT, TOOL, ApiServer
from tests.unit.chart.conftest import helm_path
from tests.unit.chart.schema import CHART

Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody with a token of their own."""

    server: ApiServer
    namespace: str
    account: str
    kubeconfig: Path

    def kubectl(self, *words: str, stdin: Json | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl as this person; it may fail."""
        from tests.cluster import api

        command = (
            str(api.binary("kubectl")),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.kubeconfig.parent}",
        )
        text = json.dumps(stdin) if stdin is not None else None
        return subprocess.run((*command, *words), input=text, capture_output=True, text=True, check=False)

    def may(self, verb: str, resource: str, *, namespace: str | None = None, name: str = "") -> bool:
        """What the server's authorizer says, asked with the person's own token."""
        kind, _, subresource = resource.partition("/")
        words = ["auth", "can-i", verb, f"{kind}/{name}" if name else kind, "-n", namespace or self.namespace]
        words += [f"--subresource={subresource}"] if subresource else []
        return self.kubectl(*words).stdout.strip() == "yes"

    def apply(self, body: Json, *options: str) -> subprocess.CompletedProcess[str]:
        return self.kubectl("-n", self.namespace, "apply", *options, "-f", "-", stdin=body)


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """Without CRDs: the chart brings its own."""
    name = "loop-rights"
    up = subprocess.run(
        (*TOOL, "up", "--profile", "light", "--name", name), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    try:
        yield ApiServer(name, Path(up.stdout.strip()))
    finally:
        if not os.environ.get("FL_KEEP_CLUSTER"):
            subprocess.run((*TOOL, "down", "--name", name), cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def installed(server: ApiServer) -> str:
    """The namespace of a release."""
    namespace = server.namespace()
    server.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    helm = helm_path()
    assert helm is not None
    command = (helm, "--kubeconfig", str(server.kubeconfig), "-n", namespace)
    install = ("install", "fl", str(CHART), "--take-ownership")
    done = subprocess.run((*command, *install), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    server.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return namespace


@pytest.fixture(scope="session")
def operator(server: ApiServer, installed: str, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """The chart's own account."""
    return person(server, installed, "fl-operator", tmp_path_factory.mktemp("operator"))


@pytest.fixture
def author(server: ApiServer, installed: str, tmp_path: Path) -> Person:
    """Somebody who may write loops, and nothing else yet."""
    name = f"author-{os.urandom(3).hex()}"
    server.kubectl("-n", installed, "create", "serviceaccount", name)
    grant(server, installed, name, "feedbackloops.feedbackloop.dev", "get,create,patch,update")
    return person(server, installed, name, tmp_path)


def person(server: ApiServer, namespace: str, account: str, folder: Path) -> Person:
    """The holder of a token that the server has issued for a service account."""
    token = server.kubectl("-n", namespace, "create", "token", account).strip()
    path = folder / "kubeconfig"
    config = json.loads(server.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path.write_text(json.dumps(config))
    return Person(server, namespace, account, path)


def grant(server: ApiServer, namespace: str, account: str, resource: str, verbs: str, *names: str) -> None:
    """Give an account a right, on some objects or on all of that resource."""
    role = f"{account}-{os.urandom(3).hex()}"
    server.kubectl(
        *("-n", namespace, "create", "role", role, f"--verb={verbs}", f"--resource={resource}"),
        *(f"--resource-name={name}" for name in names),
    )
    server.kubectl(
        "-n", namespace, "create", "rolebinding", role, f"--role={role}", f"--serviceaccount={namespace}:{account}"
    )
