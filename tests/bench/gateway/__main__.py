"""`python -m tests.bench.gateway [FIGURE…] [--quick]`: prints one JSON line a figure."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from typing import cast

from tests.bench.gateway.figure import Bench, Effort

MODULES = (
    "single",
    "batch",
    "sealing",
    "flushing",
    "latency",
    "hostile",
    "against_mlflow",
    "proxying",
    "recovery",
    "memory",
    "redaction",
)


def benches() -> list[Bench]:
    return [cast(Bench, importlib.import_module(f"tests.bench.gateway.{name}")) for name in MODULES]


def run(bench: Bench, effort: Effort) -> bool:
    """Measures and prints; whether it could be measured."""
    start = time.monotonic()
    try:
        for figure in bench.measure(effort):
            print(figure.line(), flush=True)
    except Exception:
        traceback.print_exc()
        print(f"not measured: {', '.join(bench.NAMES)}", file=sys.stderr, flush=True)
        return False
    print(f"{', '.join(bench.NAMES)}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", help="names, or their beginnings; all without one")
    parser.add_argument("--quick", action="store_true", help="a short run that only shows that it works")
    parsed = parser.parse_args(arguments)
    wanted = tuple(parsed.figures)
    chosen = [b for b in benches() if not wanted or any(name.startswith(wanted) for name in b.NAMES)]
    done = [run(bench, Effort(parsed.quick)) for bench in chosen]
    return 0 if done and all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
