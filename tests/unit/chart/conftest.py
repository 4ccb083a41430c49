"""The chart as helm renders it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.chart.schema import CHART

Json = dict[str, Any]
Rendered = dict[tuple[str, str], Json]
Render = Callable[..., Rendered]


def helm_path() -> str | None:
    """The cluster tool's helm when it is built, else one on the PATH."""
    from tests.cluster import api

    built = api.binary("helm")
    return str(built) if Path(built).exists() else shutil.which("helm")


@pytest.fixture(scope="session")
def helm() -> str:
    found = helm_path()
    if found is None:
        pytest.skip("there is no helm: build the cluster tool's binaries with `python3 -m tests.cluster build`")
    return found


@pytest.fixture(scope="session")
def render(helm: str, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders the chart with some values, by kind and name."""
    folder = tmp_path_factory.mktemp("values")

    def rendered(release: str = "fl", namespace: str = "ml", **values: Any) -> Rendered:
        path = folder / "values.json"
        path.write_text(json.dumps(values))
        command = [helm, "template", release, str(CHART), "-n", namespace, "-f", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ValueError(done.stderr)
        bodies = [b for b in yaml.safe_load_all(done.stdout) if b]
        return {(b["kind"], b["metadata"]["name"]): b for b in bodies}

    return rendered
