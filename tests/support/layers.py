"""The layers of the tests: each runs its own pytest session and says how many minutes it took.

`python -m tests.support.layers unit` runs layers one after the other; `data+control,e2e` runs two lanes side by side,
`data` in one, `control` and then `e2e` in the other: these layers mostly wait, for processes and for clusters. A failed
layer does not hide the ones after it, and every failure says where its logs are.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.support.ticks import repeatedly

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "out" / "logs"
EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Layer:
    """One pytest session: its folders, its markers and the cluster that it needs."""

    paths: tuple[str, ...]
    marker: str = ""
    about: str = ""

    def there(self) -> list[str]:
        """Its folders that exist."""
        return [p for p in self.paths if (ROOT / p).exists()]

    def command(self, name: str) -> list[str]:
        paths = self.there()
        marker = ["-m", self.marker] if self.marker else []
        return [sys.executable, "-m", "pytest", *paths, *marker, "-q", f"--junitxml={LOGS / name}.xml"]


LAYERS = {
    "unit": Layer(("tests/unit",), "not api and not cluster and not e2e and not trainer and not faults"),
    "data": Layer(
        ("tests/gateway", "tests/hostile", "tests/faults", "tests/jobs"), "not cluster and not e2e and not faults"
    ),
    "control": Layer(("tests/api", "tests/trainer"), "not cluster and not e2e and not faults"),
    "e2e": Layer(("tests/cluster", "tests/e2e"), "not faults"),
    "faults": Layer(("tests",), "faults"),
    "gpu": Layer(("tests/gpu",)),
    "partners": Layer(("tests/partners",), "partners"),
}


Result = tuple[str, int, float]


def run(name: str, *, aside: bool) -> Result:
    """One layer. Aside, its output goes to a file and is shown when the layer has ended."""
    start = time.monotonic()
    print(f"\n=== test-{name}", flush=True)
    if not LAYERS[name].there():
        # Without a folder pytest would run every test there is.
        print("there are no such tests here", flush=True)
        return name, 0, 0.0
    command, log = LAYERS[name].command(name), LOGS / f"{name}.log"
    if aside:
        with log.open("w") as out:
            code = subprocess.run(command, cwd=ROOT, check=False, stdout=out, stderr=subprocess.STDOUT).returncode
        print(f"\n=== test-{name} has ended\n{log.read_text(errors='replace')}", flush=True)
    else:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return name, code, time.monotonic() - start


def lanes(words: str) -> list[Result]:
    """The layers of `a+b,c`: lanes side by side, the layers of a lane one after the other."""
    found = [lane.split(",") for lane in words.split("+")]

    def lane(names: list[str]) -> list[Result]:
        return [run(name, aside=len(found) > 1) for name in names]

    progress = repeatedly(say_how_far, EVERY_SECONDS) if len(found) > 1 else nullcontext()
    with ThreadPoolExecutor(len(found)) as pool, progress:
        return [result for results in pool.map(lane, found) for result in results]


def say_how_far() -> None:
    """The end of each log of a layer whose output goes to a file."""
    for log in sorted(LOGS.glob("*.log")):
        last = log.read_text(errors="replace").splitlines()[-1:]
        print(f"  {log.stem:8} {last[0][-90:] if last else ''}", flush=True)


def main(words: list[str]) -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.glob("*.log"):
        old.unlink()
    results = [result for word in words for result in lanes(word)]
    print("\nlayer   result  minutes", flush=True)
    for name, code, seconds in results:
        print(f"{name:7} {'ok' if code == 0 else 'FAILED':7} {seconds / 60:5.1f}")
    failed = [name for name, code, _ in results if code]
    if failed:
        print(f"failed: {', '.join(failed)}; logs and reports are in {LOGS}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["unit"]))
