"""Checkpoints as Ray Train hears of them.

Ray's own callback can register a torn checkpoint: every rank copies the same directory, without a
barrier. Here rank 0 alone reports the tree, under a fixed name and with its hashes; `report` is the
barrier of all ranks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray.train
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from feedbackloop.jobs.train import resume


class Report(TrainerCallback):  # type: ignore[misc]
    """Comes after our own callback, which has committed the checkpoint to object storage."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        checkpoint = None
        if ray.train.get_context().get_world_rank() == 0:
            directory = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            resume.sign(directory)
            checkpoint = ray.train.Checkpoint.from_directory(str(directory))
        ray.train.report(
            {"step": state.global_step}, checkpoint=checkpoint, checkpoint_dir_name=f"step-{state.global_step:08d}"
        )
