"""Custom resources as their projects have released them: files of Go modules, whose sums are pinned here."""

import functools
import json
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import build
from tests.cluster.shell import run

GATEWAY_API = ("sigs.k8s.io/gateway-api@v1.6.3", "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=")
KSERVE = ("github.com/kserve/kserve@v0.20.0", "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=")
"""The first release with `spec.canary`; up to v0.19 only `spec.predictor.canaryTrafficPercent` exists."""
CONTOUR = ("github.com/projectcontour/contour@v1.33.8", "h1:QoOfwqWws+CVRFpsRC2+f1DmB5IdurtyUtepIsiWfE0=")


@functools.cache
def module(path: str, known_sum: str) -> Path:
    """The folder of a module of Go's cache; it is downloaded when it is missing."""
    found = json.loads(run([build.go(), "mod", "download", "-json", path]))
    assert found["Sum"] == known_sum, f"{path} is not what was released: {found['Sum']}"
    return Path(found["Dir"])


def gateway_api_crds() -> list[dict[str, Any]]:
    """The standard channel."""
    return _objects(*sorted((module(*GATEWAY_API) / "config/crd/standard").glob("*.yaml")))


def kserve_crds() -> list[dict[str, Any]]:
    """InferenceService, with its whole schema (2 MB: server-side apply only)."""
    return _objects(module(*KSERVE) / "config/crd/full/serving.kserve.io_inferenceservices.yaml")


def contour_crds() -> list[dict[str, Any]]:
    """Contour's own kinds, which it watches even when nobody uses them."""
    return _objects(module(*CONTOUR) / "examples/contour/01-crds.yaml")


def _objects(*files: Path) -> list[dict[str, Any]]:
    """Without the empty status that some carry, which would undo what the API server says of them."""
    bodies = (body for file in files for body in yaml.load_all(file.read_text(), _loader()) if body)
    return [{key: value for key, value in body.items() if key != "status"} for body in bodies]


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
