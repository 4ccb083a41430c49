"""Supervised fine-tuning by TRL, wherever a launcher puts it."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import datasets
import torch
import transformers
from datasets import Dataset
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer

from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.jobs.errors import BaseModelUnavailable, InvalidDataset, Preempted
from feedbackloop.jobs.storage import open_store
from feedbackloop.jobs.train import resume
from feedbackloop.jobs.train.callbacks import Watch, curve
from feedbackloop.jobs.train.checkpoints import Checkpoints
from feedbackloop.jobs.train.live import Live, Sign
from feedbackloop.jobs.train.plan import Outcome, Plan
from feedbackloop.jobs.vault import Vault

log = logging.getLogger(__name__)


def train(plan: Plan, *more: Any, kept: Path | None = None) -> Outcome:
    """Train from the newest checkpoint, or from the base. `more` are further callbacks of a launcher,
    `kept` is a checkpoint that it kept."""
    _quiet()
    stored = checkpoints(plan)
    start = resume.newest(stored, plan.checkpoints / "resume", kept)
    log.info("training from step %d", start.step if start else 0)
    trainer = _trainer(plan, [Watch(Live(plan.work), stored), *more], start.directory if start else plan.base)
    if start is None or start.step < plan.hyperparameters.max_steps:
        trainer.train(resume_from_checkpoint=str(start.directory) if start else None)
        history, reached = trainer.state.log_history, trainer.state.global_step
    else:
        # The trainer itself would take one step more.
        history, reached = resume.history(start.directory), start.step
    if reached < plan.hyperparameters.max_steps:
        raise Preempted(f"stopped and saved at step {reached}")
    _save(trainer.model, plan)
    points = curve(history)
    Live(plan.work).write(Sign(reached, reached, points[-1]["loss"], 0, points))
    return Outcome(reached, start.step if start else 0, points[-1]["loss"])


def checkpoints(plan: Plan) -> Checkpoints:
    store = open_store(plan.storage, plan.secrets / "storage")
    vault = Vault(store, keyring_of(plan.encryption, plan.storage, plan.secrets, plan.loop_uid))
    return Checkpoints(vault, plan.run_id, plan.spec_digest, plan.rows_digest)


def _quiet() -> None:
    """Libraries say less: what they would quote may be a user's words."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    logging.getLogger("trl").setLevel(logging.ERROR)
    if not torch.cuda.is_available():
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _trainer(plan: Plan, callbacks: list[Any], weights: Path) -> SFTTrainer:
    rows = [json.loads(line) for line in plan.rows.read_bytes().splitlines() if line.strip()]
    trainer = SFTTrainer(
        model=_model(weights),
        args=_config(plan),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(plan.base, local_files_only=True),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    if len(trainer.train_dataset) == 0:
        raise InvalidDataset(f"no row is short enough: maxLength is {plan.hyperparameters.max_length}")
    return trainer


def _model(directory: Path) -> Any:
    try:
        return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BaseModelUnavailable(f"the base cannot be loaded: {type(error).__name__}") from None


def _config(plan: Plan) -> SFTConfig:
    wanted = plan.hyperparameters
    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(plan.checkpoints),
        max_steps=wanted.max_steps,
        per_device_train_batch_size=plan.batch.micro,
        gradient_accumulation_steps=plan.batch.accumulation,
        learning_rate=float(wanted.learning_rate),
        lr_scheduler_type="cosine",
        warmup_steps=min(10, wanted.max_steps // 10),
        max_length=wanted.max_length,
        seed=wanted.seed,
        data_seed=wanted.seed,
        use_cpu=not cuda,
        bf16=cuda and torch.cuda.is_bf16_supported(),
        activation_checkpointing=False,
        gradient_checkpointing=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=wanted.checkpoint_steps,
        save_total_limit=2,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=[],
    )


def _save(model: Any, plan: Plan) -> None:
    """The base's directory with other weights: tokenizer, template and settings stay to the byte."""
    shutil.rmtree(plan.model, ignore_errors=True)
    saved = plan.work / "saved"
    config = json.loads((plan.base / "config.json").read_text())
    model.to(getattr(torch, config.get("dtype") or "float32")).save_pretrained(saved)
    shutil.copytree(plan.base, plan.model, ignore=shutil.ignore_patterns("*.safetensors*", "manifest.json"))
    for path in saved.glob("*.safetensors*"):
        path.replace(plan.model / path.name)
