"""All that tests and demo need and that takes long, side by side, with progress: `python -m tests.support.prepare`.

The cluster's binary compiles while environments are installed; both are kept by content, so a second call is quick.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    ("/usr/bin/python3", "-m", "tests.cluster", "build"),
    (sys.executable, "-m", "tests.support.envs", "trainer", "mlflow", "seaweedfs", "image"),
)


def step(command: tuple[str, ...]) -> int:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode


def main() -> int:
    with ThreadPoolExecutor(len(STEPS)) as pool:
        return max(pool.map(step, STEPS))


if __name__ == "__main__":
    sys.exit(main())
