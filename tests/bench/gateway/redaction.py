"""Redaction against the same patterns one by one: the figure of `tests.bench.redaction`, in this list too."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.gateway.figure import Effort, Figure
from tests.gateway.process import ROOT

NAMES = ("redact.vs_plain_re",)
MODULE = "tests.bench.redaction"


def measure(effort: Effort) -> Iterator[Figure]:
    assert importlib.util.find_spec(MODULE), f"{MODULE} is missing"
    command = [sys.executable, "-m", MODULE, *(["--quick"] if effort.quick else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    for line in filter(lambda line: line.startswith("{"), done.stdout.splitlines()):
        found = json.loads(line)
        if found["figure"] in NAMES:
            name, value, samples = found.pop("figure"), found.pop("value"), found.pop("samples", ())
            found.pop("load", None)
            yield Figure(name, value, found.pop("unit"), found.pop("goal"), samples, found)
