"""A `kubectl` that answers from files, and remembers what it was asked and given."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
SCRIPT = """#!/bin/sh
echo "$@" >> "$KUBE/calls"
test "$1" = --namespace && shift 2
case "$1" in
  get) cat "$KUBE/$2/$3" 2>/dev/null; exit 0 ;;
  create) cat > "$KUBE/created"; test -f "$KUBE/refusal" && { cat "$KUBE/refusal" >&2; exit 1; }; cat "$KUBE/answer" ;;
  auth) cat "$KUBE/me" ;;
  patch) echo patched ;;
  *) echo "error: unknown command $1" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Kube:
    """Where its answers lie."""

    path: Path

    def holds(self, kind: str, name: str, body: Json) -> None:
        """An object that `get` gives."""
        folder = self.path / f"{kind}.feedbackloop.dev"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(body))

    def refuses(self, stderr: str) -> None:
        (self.path / "refusal").write_text(stderr)

    @property
    def created(self) -> Json:
        found: Json = json.loads((self.path / "created").read_text())
        return found

    @property
    def calls(self) -> list[str]:
        return (self.path / "calls").read_text().splitlines()


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kube:
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    tool.write_text(SCRIPT)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBE", str(tmp_path))
    info = {"username": "alice", "groups": ["system:authenticated", "ml-owners"]}
    (tmp_path / "me").write_text(json.dumps({"status": {"userInfo": info}}))
    (tmp_path / "answer").write_text(json.dumps({"metadata": {"name": "asked"}}))
    return Kube(tmp_path)
