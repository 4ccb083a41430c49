"""`python -m tests.bench.decisions [--quick] [--write FILE]`: one JSON line a figure, and the table for the docs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.decisions import offline, online
from tests.bench.decisions.report import table, write
from tests.bench.gateway.figure import Effort, Figure

SEED = 20261124
MARGIN = 0.05
Progress = Callable[[str], None]


def online_figures(effort: Effort) -> Iterator[Figure]:
    aa = online.false_aborts(effort.of(2000), SEED)
    yield Figure("decisions.aa_false_abort", aa["e-process"], "probability", "<=0.05", more={"rules": aa})
    trap = online.simpson(effort.of(1000), SEED)
    yield Figure("decisions.simpson_false_abort", trap["e-process"], "probability", "<=0.05", more={"rules": trap})
    found, median = online.harm_found(effort.of(1000), SEED)
    yield Figure("decisions.harm_2x_found", found, "probability", ">=0.9", more={"median_sessions": median})
    found, false = online.wrong_share_found(effort.of(2000), SEED)
    yield Figure("decisions.srm_found", found, "probability", ">=0.7", more={"false_alarms": false})
    covered = online.sequence_coverage(effort.of(300), SEED)
    yield Figure("decisions.sequence_coverage", covered, "probability", ">=0.9")


def offline_figures(effort: Effort) -> Iterator[Figure]:
    sizes = (59, 100, 150, 200, 300) if not effort.quick else (59,)
    worst = {n: offline.worst_false_ship(n, MARGIN) for n in sizes}
    by_n = {str(n): round(p, 4) for n, p in worst.items()}
    yield Figure("decisions.gate_false_ship", max(worst.values()), "probability", "<=0.05", more={"by_n": by_n})
    yield Figure("decisions.gate_equal_ships", offline.ships(200, MARGIN, 0.05, 0.0), "probability", ">=0.85")
    if not effort.quick:
        power = {str(n): {str(c): round(offline.ships(n, MARGIN, c, 0.0), 3) for c in CHURNS} for n in (*sizes, 400)}
        yield Figure("decisions.gate_power", power["200"]["0.05"], "probability", ">=0.85", more={"by_n": power})
    yield Figure("decisions.tango_coverage", offline.tango_coverage(200, 0.1, 0.0), "probability", ">=0.88")
    yield Figure(
        "decisions.clopper_pearson_coverage", offline.clopper_pearson_coverage(200, 0.03), "probability", ">=0.95"
    )


CHURNS = (0.02, 0.05, 0.10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.decisions")
    parser.add_argument("--quick", action="store_true", help="show that it works; the numbers mean nothing")
    parser.add_argument("--write", type=Path, help="a page whose generated section is replaced by the table")
    parsed = parser.parse_args()
    effort, figures = Effort(parsed.quick), []
    for part in (online_figures, offline_figures):
        for figure in part(effort):
            print(figure.line(), flush=True)
            figures.append(figure)
    if parsed.write:
        write(parsed.write, table(figures))


if __name__ == "__main__":
    main()
