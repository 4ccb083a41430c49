"""What a launcher carries to where the training runs: plain data, no connections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedbackloop.api.gateway import KeyService, ObjectStore
from feedbackloop.api.improvement import Hyperparameters


@dataclass(frozen=True)
class Batch:
    """An effective batch, cut into micro-batches that fit."""

    micro: int
    accumulation: int

    @classmethod
    def of(cls, size: int, halvings: int) -> Batch:
        """The product is always `size`: after an out-of-memory the optimiser sees the same examples."""
        limit = max(1, size >> halvings)
        micro = next(n for n in range(limit, 0, -1) if size % n == 0)
        return cls(micro, size // micro)


@dataclass(frozen=True)
class Plan:
    """One training."""

    run_id: str
    spec_digest: str
    base: Path
    """The base model's directory."""
    rows: Path
    """Of the data set's `train.jsonl` what may be trained on."""
    work: Path
    """A scratch directory: local checkpoints, signs of life, the trained model."""
    hyperparameters: Hyperparameters
    batch: Batch
    storage: ObjectStore
    """Where checkpoints go, with the credentials and the root key's files below `secrets`."""
    encryption: KeyService
    loop_uid: str
    secrets: Path
    used: int = 0
    """Rows in `rows`."""
    withdrawn: int = 0
    """Rows that were left out, because consent was withdrawn since the data set was built."""
    rows_digest: str = ""
    """Of `rows`: a checkpoint of other rows is none of this training."""

    @property
    def model(self) -> Path:
        """Where the trained model is written."""
        return self.work / "model"

    @property
    def checkpoints(self) -> Path:
        """Where the trainer keeps its local checkpoints."""
        return self.work / "checkpoints"


@dataclass(frozen=True)
class Outcome:
    """What a training that reached its last step says of itself."""

    steps: int
    resumed_from: int
    final_loss: float
