"""What our side does inside TRL's loop: watch the loss, commit checkpoints, stop when asked."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from feedbackloop.jobs.errors import Diverged, StorageUnavailable
from feedbackloop.jobs.train.checkpoints import Checkpoints
from feedbackloop.jobs.train.live import Live, Point, Sign

log = logging.getLogger(__name__)
METRICS = ("loss", "learning_rate", "grad_norm", "mean_token_accuracy")
EXPLOSION = 10.0
FLOOR = 1.0
"""A well fitted base starts near 0, where ten times the start is still no divergence."""


def check(loss: float, start: float) -> None:
    """Diverged: not a number, or ten times what it was at the start."""
    if not math.isfinite(loss):
        raise Diverged("the loss is not finite; lower the learning rate")
    limit = EXPLOSION * max(start, FLOOR)
    if loss >= limit:
        raise Diverged(f"the loss is {loss:.3g}, over {limit:.3g}; lower the learning rate")


def curve(history: list[dict[str, Any]]) -> tuple[Point, ...]:
    """The loss curve of the trainer's log."""
    return tuple({key: e[key] for key in ("step", "at", *METRICS) if key in e} for e in history if "loss" in e)


class Watch(TrainerCallback):  # type: ignore[misc]
    """The log of the trainer is stamped and kept in its checkpoints, so a curve survives every kill."""

    def __init__(self, live: Live, checkpoints: Checkpoints) -> None:
        self._live, self._checkpoints = live, checkpoints
        self._committed: tuple[Point, ...] = ()
        self._begun: tuple[float, int] = (0.0, 0)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._begun = (time.monotonic(), state.global_step)
        self._committed = curve(state.log_history)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        entry = state.log_history[-1]
        if "loss" in entry:
            entry["at"] = int(time.time() * 1000)
            check(entry["loss"], next(e["loss"] for e in state.log_history if "loss" in e))
            self._tell(state, entry["loss"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._live.stop_asked:
            control.should_save = control.should_training_stop = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        try:
            self._checkpoints.commit(state.global_step, Path(args.output_dir) / f"checkpoint-{state.global_step}")
        except StorageUnavailable as error:
            # The training goes on: storage is needed at its end, and may be back by then.
            log.warning("checkpoint %d was not stored: %s", state.global_step, error)
            return
        log.info("checkpoint %d of %d is stored", state.global_step, state.max_steps)
        self._committed = curve(state.log_history)
        self._tell(state, self._committed[-1]["loss"] if self._committed else None)

    def _tell(self, state: TrainerState, loss: float | None) -> None:
        begun, first = self._begun
        pace = (time.monotonic() - begun) / max(1, state.global_step - first)
        remaining = round(pace * (state.max_steps - state.global_step))
        self._live.write(Sign(state.global_step, state.max_steps, loss, remaining, self._committed))
