"""The gateway's benchmarks work: short runs print a line for each figure. Their values mean nothing here."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.bench.gateway.__main__ import benches
from tests.gateway.process import ROOT

SLOW = ("ingest.vs_mlflow", "proxy.cpu_vs_litellm", "redact.vs_plain_re", "gateway.rss_mib")
"""Need environments of their own, or minutes; `make bench-gateway QUICK=1` runs them too."""
QUICK = [bench.NAMES for bench in benches() if not set(SLOW) & set(bench.NAMES)]


@pytest.mark.parametrize("names", QUICK, ids=lambda names: names[0])
def test_a_short_run_prints_every_figure(names: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "tests.bench.gateway", "--quick", names[0]]
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    figures = {line["figure"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(figures) == set(names)
    assert all({"value", "unit", "goal", "samples", "load"} <= set(line) for line in figures.values())
