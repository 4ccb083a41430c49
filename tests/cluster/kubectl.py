"""kubectl on a given cluster."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.shell import run, succeeds


@dataclass(frozen=True)
class Kubectl:
    """The command with its kubeconfig."""

    binary: Path
    kubeconfig: Path

    def argv(self, *words: str) -> list[str]:
        """The whole command line."""
        return [str(self.binary), f"--kubeconfig={self.kubeconfig}", *words]

    def __call__(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """Run it."""
        return run(self.argv(*words), stdin=stdin, check=check)

    def succeeds(self, *words: str) -> bool:
        """Whether it exits with 0."""
        return succeeds(self.argv(*words))

    def get(self, *words: str) -> Any:
        """The object, or the List."""
        return json.loads(self("get", *words, "--output=json"))

    def items(self, *words: str) -> Sequence[dict[str, Any]]:
        """The objects of a List."""
        found: Sequence[dict[str, Any]] = self.get(*words)["items"]
        return found

    def apply(self, manifest: dict[str, Any]) -> None:
        """Server-side apply."""
        options = ("--server-side", "--force-conflicts", "--field-manager=test-cluster", "--filename=-")
        self("apply", *options, stdin=json.dumps(manifest))
