"""Kubeconfig files: JSON, which every YAML reader takes, with the certificates inside, so that they may be copied."""

import base64
import json
from pathlib import Path
from typing import Any

from tests.cluster.shell import write_text


def kubeconfig(cluster: str, server: str, pki: Path, user: str) -> dict[str, Any]:
    """The kubeconfig of the user whose certificate is `user`.crt."""
    authority = _data(pki / "ca.crt")
    key = {"client-certificate-data": _data(pki / f"{user}.crt"), "client-key-data": _data(pki / f"{user}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": key}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write it readable by its owner only."""
    write_text(path, json.dumps(content, indent=1) + "\n")
    path.chmod(0o600)


def _data(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
