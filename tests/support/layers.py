"""The layers of the tests: each runs its own pytest session and says how many minutes it took.

`python -m tests.support.layers unit api e2e`. A failed layer does not hide the ones after it, and every
failure says where its logs are.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "out" / "logs"


@dataclass(frozen=True)
class Layer:
    """One pytest session: its folders, its markers and the cluster that it needs."""

    paths: tuple[str, ...]
    marker: str = ""
    about: str = ""

    def command(self, name: str) -> list[str]:
        paths = [p for p in self.paths if (ROOT / p).exists()]
        marker = ["-m", self.marker] if self.marker else []
        return [sys.executable, "-m", "pytest", *paths, *marker, "-q", f"--junitxml={LOGS / name}.xml"]


LAYERS = {
    "unit": Layer(("tests/unit",), "not api and not cluster and not e2e and not trainer and not faults"),
    "api": Layer(
        ("tests/api", "tests/gateway", "tests/hostile", "tests/faults", "tests/jobs", "tests/trainer"),
        "not cluster and not e2e and not faults",
    ),
    "e2e": Layer(("tests/cluster", "tests/e2e"), "not faults"),
    "faults": Layer(("tests",), "faults"),
    "gpu": Layer(("tests/gpu",)),
}
NOTHING_COLLECTED = 5


def run(name: str) -> tuple[str, int, float]:
    start = time.monotonic()
    print(f"\n=== test-{name}", flush=True)
    code = subprocess.run(LAYERS[name].command(name), cwd=ROOT, check=False).returncode
    return name, code, time.monotonic() - start


def main(names: list[str]) -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    results = [run(name) for name in names]
    print("\nlayer   result  minutes", flush=True)
    for name, code, seconds in results:
        print(f"{name:7} {'ok' if code == 0 else 'FAILED':7} {seconds / 60:5.1f}")
    failed = [name for name, code, _ in results if code]
    if failed:
        print(f"failed: {', '.join(failed)}; logs and reports are in {LOGS}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["unit"]))
