"""Where a training goes on: of the checkpoints in object storage and one that a launcher kept, the newer."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

from feedbackloop.jobs import canonical
from feedbackloop.jobs.train.checkpoints import Checkpoints

log = logging.getLogger(__name__)
HASHES = "hashes.json"


class Start(NamedTuple):
    """A checkpoint directory and its step."""

    step: int
    directory: Path


def sign(directory: Path) -> None:
    """Write the hashes of a checkpoint's files beside them, so that a torn copy is recognised."""
    hashes = {path.name: canonical.sha256(path.read_bytes()) for path in _files(directory)}
    (directory / HASHES).write_bytes(canonical.encode(hashes))


def whole(directory: Path) -> bool:
    """Whether every file is what `sign` saw, and none is missing."""
    try:
        wanted = json.loads((directory / HASHES).read_bytes())
        return bool({p.name: canonical.sha256(p.read_bytes()) for p in _files(directory)} == wanted)
    except (OSError, ValueError):
        return False


def step_of(directory: Path) -> int:
    return int(_state(directory)["global_step"])


def history(directory: Path) -> list[dict[str, Any]]:
    """The trainer's log, as far as the checkpoint goes."""
    entries: list[dict[str, Any]] = _state(directory)["log_history"]
    return entries


def _state(directory: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((directory / "trainer_state.json").read_bytes())
    return state


def newest(stored: Checkpoints, into: Path, kept: Path | None) -> Start | None:
    """The newest whole checkpoint; `kept` is the launcher's, if it has one."""
    if kept is not None and not whole(kept):
        log.warning("the launcher's checkpoint is torn and left out")
        kept = None
    local = Start(step_of(kept), kept) if kept else None
    committed = stored.committed()
    if local and (not committed or local.step >= committed[0]):
        return local
    step = stored.restore(into)
    return local if step is None else Start(step, into)


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_file() and path.name != HASHES)
