"""Files between the training and the job's process, which are one process or two (Ray).

`live.json` is replaced at every step, `stop` asks the training to save and end, `outcome.json` is what
a training in another process ended with.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feedbackloop.jobs.errors import JobError
from feedbackloop.jobs.train.plan import Outcome

Point = dict[str, float]
"""One step of the loss curve: `step`, `at` (Unix milliseconds) and its metrics."""


@dataclass(frozen=True)
class Sign:
    """A sign of life. `curve` is what has been committed: it can only be repeated, never differ."""

    step: int = 0
    total: int = 0
    loss: float | None = None
    remaining_seconds: int | None = None
    curve: tuple[Point, ...] = ()


class Live:
    """Both ends of the files in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, sign: Sign) -> None:
        self._replace("live.json", asdict(sign))

    def read(self) -> Sign:
        found = self._read("live.json") or {}
        return Sign(**{**found, "curve": tuple(found.get("curve", ()))})

    def ask_to_stop(self) -> None:
        (self.directory / "stop").touch()

    @property
    def stop_asked(self) -> bool:
        return (self.directory / "stop").exists()

    def end(self, outcome: Outcome | JobError) -> None:
        """Say how the training ended, for another process."""
        if isinstance(outcome, JobError):
            self._replace("outcome.json", {"error": type(outcome).__name__, "message": str(outcome)})
        else:
            self._replace("outcome.json", asdict(outcome))

    def outcome(self) -> Outcome | None:
        """How it ended: an outcome, None when it did not say, or the error that it ended with."""
        found = self._read("outcome.json")
        if found is None:
            return None
        if "error" in found:
            kinds = {kind.__name__: kind for kind in JobError.__subclasses__()}
            raise kinds[found["error"]](found["message"])
        return Outcome(**found)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            value: dict[str, Any] = json.loads((self.directory / name).read_bytes())
        except FileNotFoundError:
            return None
        return value

    def _replace(self, name: str, value: dict[str, Any]) -> None:
        partial = self.directory / f"{name}.{os.getpid()}"
        partial.write_text(json.dumps(value), encoding="utf-8")
        partial.replace(self.directory / name)
