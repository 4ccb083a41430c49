"""What the fake world remembers, as plain data that can be written to a file and read again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Epoch:
    """One applied routing, as the gateways saw it."""

    run_uid: str
    epoch: int
    weight: int
    has_canary: bool
    started: float
    """Seconds of the test's clock."""
    ended: float | None = None


@dataclass
class Version:
    key: str
    """The value of the tag that it is looked for by."""
    run_id: str
    source: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class TrackedRun:
    run_uid: str
    name: str
    experiment: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    status: str = "RUNNING"


@dataclass
class State:
    now: float = 0.0
    objects: dict[str, str] = field(default_factory=dict)
    """`bucket/key` to the text of the object."""
    runs: dict[str, TrackedRun] = field(default_factory=dict)
    """MLflow runs by id."""
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """Versions by registered model; the number is the place in the list, from 1."""
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    jobs: dict[str, list[str]] = field(default_factory=dict)
    """Every Job that was ever seen: its name to the uids it had."""
    job_started: dict[str, float] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)
    """Services that do not answer: `mlflow`, `s3`, `gateways`, `kubernetes`."""
    file: str = ""
    """Where it is kept, if it is kept."""

    def changed(self) -> None:
        """Keep it, in one step, so that a kill leaves the old state or the new."""
        if not self.file:
            return
        path = Path(self.file)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> State:
        raw = json.loads(path.read_text())
        raw["runs"] = {key: TrackedRun(**run) for key, run in raw["runs"].items()}
        raw["versions"] = {name: [Version(**v) for v in versions] for name, versions in raw["versions"].items()}
        raw["epochs"] = [Epoch(**epoch) for epoch in raw["epochs"]]
        return cls(**raw)
