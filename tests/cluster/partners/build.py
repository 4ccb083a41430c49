"""Contour, from its Go module: about five minutes on two free cores, once for each content of `go/go.sum`."""

import os
import time
from pathlib import Path

from tests.cluster import build, paths
from tests.cluster.locks import locked
from tests.cluster.shell import run, say, write_json

SOURCE = Path(__file__).parent / "go"
PACKAGE = "github.com/projectcontour/contour/cmd/contour"


def contour_binary() -> Path:
    """The binary, built when it is missing. Two callers at once make one build."""
    folder = paths.cache() / "partners" / f"contour-{build.content_hash(_sources(), SOURCE)}"
    if not (folder / "build.json").exists():
        with locked(paths.cache() / "partners.lock", "waiting for the build of Contour by another process"):
            if not (folder / "build.json").exists():
                _build(folder)
    return folder / "contour"


def _sources() -> list[Path]:
    return [SOURCE / "go.mod", SOURCE / "go.sum"]


def _build(folder: Path) -> None:
    say("go: building Contour (minutes, once)")
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(folder / "contour")]
    run(["nice", build.go(), "-C", SOURCE, "build", *flags, PACKAGE], env={**os.environ, "CGO_ENABLED": "0"})
    write_json(folder / "build.json", {"build_seconds": round(time.monotonic() - began, 1)})
