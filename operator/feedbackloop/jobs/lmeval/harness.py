"""lm-evaluation-harness, called as a library; imported only in the child process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from feedbackloop.jobs.lmeval.running import Scored

BATCH = 8


class FailedError(Exception):
    """What the parent says to a person."""

    def __init__(self, message: str, *, invalid: bool = False) -> None:
        super().__init__(message)
        self.invalid = invalid


def score(directory: Path, task: str, include: str) -> Scored:
    """Raises FailedError."""
    manager = _manager(include)
    loaded = _load(manager, task)
    results = _evaluate(directory, manager, loaded)
    samples: Mapping[str, list[dict[str, Any]]] = results["samples"]
    chosen = [_by_item(name, samples[name]) for name in sorted(samples)]
    items = [item for part in chosen for item in part.items]
    if not items:
        raise FailedError("it has no items")
    metrics = sorted({part.metric for part in chosen})
    versions = sorted({f"{name}@{results['versions'].get(name)}" for name in samples})
    return Scored(
        scorer=f"lm-eval/{metadata.version('lm-eval')} {task} {','.join(metrics)} {'+'.join(versions)[:200]}",
        items=tuple((name, right) for name, right, _ in items),
        digest=f"sha256:{hashlib.sha256(json.dumps([hashes for *_, hashes in items]).encode()).hexdigest()}",
    )


def _manager(include: str) -> Any:
    try:
        from lm_eval.tasks import TaskManager
    except ImportError:
        raise FailedError(
            "lm-eval is not in this environment; use an image with requirements/lmeval.txt", invalid=True
        ) from None
    return TaskManager(include_path=include or None)


def _load(manager: Any, task: str) -> Any:
    """With its data: a task reads them when it is made."""
    if task not in manager.all_tasks:
        raise FailedError(
            "there is no such task in the harness, nor in the directory that FL_LMEVAL_TASKS names", invalid=True
        )
    try:
        return manager.load([task])
    except Exception as error:  # whatever data sets, hub and file systems raise
        raise FailedError(
            f"its data are not in this environment ({type(error).__name__}), and nothing is downloaded: put them into "
            "the image's Hugging Face cache (HF_HOME), or define a task whose data_files lie in the image"
        ) from None


def _evaluate(directory: Path, manager: Any, loaded: Any) -> Any:
    import torch
    from lm_eval import simple_evaluate

    return simple_evaluate(
        model="hf",
        model_args={"pretrained": str(directory), "dtype": "float32", "trust_remote_code": False},
        tasks=list(loaded["tasks"].values()),
        batch_size=BATCH,
        device="cuda" if torch.cuda.is_available() else "cpu",
        task_manager=manager,
        # A model that was made for conversations is asked in its own form; both models have the same one.
        apply_chat_template=has_template(directory),
        bootstrap_iters=0,
        log_samples=True,
    )


def has_template(directory: Path) -> bool:
    config = directory / "tokenizer_config.json"
    if (directory / "chat_template.jinja").is_file():
        return True
    return config.is_file() and "chat_template" in json.loads(config.read_text(encoding="utf-8"))


class _Part:
    """One task of a group."""

    def __init__(self, metric: str, items: list[tuple[str, bool, tuple[str, str]]]) -> None:
        self.metric, self.items = metric, items


def _by_item(task: str, samples: list[dict[str, Any]]) -> _Part:
    """By the task's first filter, and its first metric that is 0 or 1 for every item."""
    first = [sample for sample in samples if sample["filter"] == samples[0]["filter"]]
    metric = next(_binary(first), None)
    if metric is None:
        raise FailedError(f"{task} has no metric that is right or wrong by item", invalid=True)
    return _Part(
        metric,
        [
            (f"{task}/{s['doc_id']}/{s['doc_hash'][:12]}", bool(s[metric]), (s["doc_hash"], s["prompt_hash"]))
            for s in sorted(first, key=lambda sample: int(sample["doc_id"]))
        ],
    )


def _binary(samples: list[dict[str, Any]]) -> Iterator[str]:
    for metric in samples[0]["metrics"]:
        if all(sample[metric] in (0, 1) for sample in samples):
            yield metric
