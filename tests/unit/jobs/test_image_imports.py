"""What the light image runs imports nothing but what the image holds: the tests' environment holds more."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUN_IN_THE_IMAGE = (
    "feedbackloop.__main__",
    "feedbackloop.cli.main",
    "feedbackloop.gateway.__main__",
    "feedbackloop.jobs.assess.stage",
    "feedbackloop.jobs.curate.job",
    "feedbackloop.jobs.fetch",
    "feedbackloop.jobs.shadow.stage",
    "feedbackloop.jobs.sweep",
)
PROGRAM = """
import importlib, importlib.metadata as metadata, sys
held = set(sys.argv[2].split())
def canonical(name):
    return name.lower().replace("_", "-").replace(".", "-")
owners = metadata.packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        found = owners.get(name.partition(".")[0])
        if found and not held & {canonical(each) for each in found}:
            raise ModuleNotFoundError(f"{name} is not in the image")
        return None
sys.meta_path.insert(0, Absent())
importlib.import_module(sys.argv[1])
"""


def in_the_image() -> set[str]:
    """Names of the image's packages, of the lock file that it is built from, and the project's own."""
    text = (ROOT / "requirements" / "image.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)
    return {re.sub(r"[._]", "-", name.lower()) for name in names} | {"feedbackloop", "pip", "setuptools"}


@pytest.mark.parametrize("module", RUN_IN_THE_IMAGE)
def test_a_module_of_the_image_needs_nothing_else(module: str) -> None:
    command = [sys.executable, "-c", PROGRAM, module, " ".join(sorted(in_the_image()))]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT / "operator")}
    )
    assert done.returncode == 0, done.stderr[-2000:]
