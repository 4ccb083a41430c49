"""The harness as a process: a model directory and a task in, right and wrong by item out."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec, OutOfMemory

log = logging.getLogger(__name__)
TASKS = "FL_LMEVAL_TASKS"
"""Names a directory of the image with task definitions of the team (YAML), beside those of the harness."""
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
KILLED = -9


class Scored(Struct, frozen=True):
    """A model on a task."""

    scorer: str = ""
    """The harness with its version, the task with its, and the metric."""
    items: tuple[tuple[str, bool], ...] = ()
    """(id, right), in the task's order. An id is made of the item's text, so both models' items are the same."""
    digest: str = ""
    """The sha256 of the items' and prompts' hashes, in order."""
    error: str = ""
    """Why there are no items."""
    invalid: bool = False
    """The error is the spec's, not the data's."""


def evaluate(directory: Path, task: str, environment: Mapping[str, str] = os.environ) -> Scored:
    """Whether the model in `directory` (Hugging Face's layout) is right, for every item of the task.

    Raises InvalidSpec when there is no such task, or none that is right or wrong by item, or no harness; InvalidDataset
    when the task's data are not in the environment; OutOfMemory. Each says what to do.
    """
    with tempfile.TemporaryDirectory() as scratch:
        into = Path(scratch) / "scored.json"
        command = [sys.executable, "-m", "feedbackloop.jobs.lmeval", str(directory), task, str(into)]
        # What the harness prints may quote items; it is not for our log.
        surroundings = {"HF_HOME": scratch, **environment, **OFFLINE}
        done = subprocess.run(command, env=surroundings, capture_output=True, check=False)
        if done.returncode == KILLED:
            raise OutOfMemory(f"lmEvalTask {task}: the harness was killed, most likely for its memory")
        if not into.exists():
            raise InvalidSpec(f"lmEvalTask {task}: the harness ended with {done.returncode}{_bug(done.stderr)}")
        scored = msgspec.json.decode(into.read_bytes(), type=Scored)
    if scored.error:
        raise (InvalidSpec if scored.invalid else InvalidDataset)(f"lmEvalTask {task}: {scored.error}")
    return scored


def _bug(stderr: bytes) -> str:
    """The type of the last error in a traceback, without its message."""
    last = stderr.decode(errors="replace").strip().splitlines()[-1:]
    name = last[0].split(":")[0] if last else ""
    return f" ({name})" if name.replace(".", "").isidentifier() else ""
