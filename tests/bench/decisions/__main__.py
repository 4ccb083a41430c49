"""`python -m tests.bench.decisions [--quick] [--write FILE]`: one JSON line a figure, and the table for the docs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.bench.decisions.figures import GROUPS
from tests.bench.decisions.report import table, write
from tests.bench.gateway.figure import Effort, Figure

PROCESSES = 2


def group(number: int, quick: bool) -> list[Figure]:
    """The figures of one group; every simulation has its own seed, so where it runs changes nothing."""
    return list(GROUPS[number](Effort(quick)))


def all_figures(quick: bool) -> Iterator[Figure]:
    with ProcessPoolExecutor(PROCESSES) as pool:
        for done in as_completed([pool.submit(group, number, quick) for number in range(len(GROUPS))]):
            yield from done.result()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.decisions")
    parser.add_argument("--quick", action="store_true", help="show that it works; the numbers mean nothing")
    parser.add_argument("--write", type=Path, help="a page whose generated section is replaced by the table")
    parsed = parser.parse_args()
    begun, figures = time.monotonic(), []
    for figure in all_figures(parsed.quick):
        print(figure.line(), flush=True)
        figures.append(figure)
    print(f"{time.monotonic() - begun:.0f} s", flush=True)
    if parsed.write:
        write(parsed.write, table(figures))


if __name__ == "__main__":
    main()
