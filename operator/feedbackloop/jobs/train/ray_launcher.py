"""The launcher `RayTrain`: Ray Train runs the training, in this process or in a worker inside the pod."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import Any

from feedbackloop.api.jobs import ExitCode
from feedbackloop.jobs.errors import JobError, OutOfMemory, Preempted, exit_code
from feedbackloop.jobs.runtime import Stopping
from feedbackloop.jobs.train.live import Live
from feedbackloop.jobs.train.plan import Outcome, Plan

log = logging.getLogger(__name__)
SETTINGS = {
    # A pod that trains one model needs neither Ray's services nor its care about other users of the node.
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.25",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_ENABLE_STATE_ACTOR_RECONCILIATION": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",
    "OMP_NUM_THREADS": "1",
}
OBJECT_STORE_BYTES = 100 * 1024 * 1024
WORKER_RESTARTS = 2
CONTROLLER_RESTARTS = 20
"""Ray's default is to try for ever."""


def launch(plan: Plan, stopping: Stopping, workers: int) -> Outcome:
    os.environ |= {name: value for name, value in SETTINGS.items() if name not in os.environ}
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    live = Live(plan.work)
    if workers:
        _start(ray, plan, workers)
    # Ray has handlers of its own; ours saves first.
    signal.signal(signal.SIGTERM, stopping.handle)
    if stopping.requested.is_set():
        raise Preempted("SIGTERM before the first step")
    stopping.gracefully(live.ask_to_stop)
    trainer = TorchTrainer(
        _loop,
        train_loop_config={"plan": plan},
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(
            name=plan.run_id,
            storage_path=str(plan.work / "ray"),
            failure_config=FailureConfig(max_failures=WORKER_RESTARTS, controller_failure_limit=CONTROLLER_RESTARTS),
        ),
    )
    try:
        trainer.fit()
    finally:
        if workers:
            ray.shutdown()
    return _ended(live)


def _start(ray: Any, plan: Plan, workers: int) -> None:
    # A pod's /dev/shm holds 64 MiB; the scratch directory is memory as well.
    ray.init(
        num_cpus=workers + 1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _plasma_directory=str(plan.work),
        configure_logging=False,
    )


def _ended(live: Live) -> Outcome:
    outcome = live.outcome()
    if outcome is None:
        raise RuntimeError("Ray Train ended without an outcome")
    return outcome


def _loop(config: dict[str, Any]) -> None:
    """What a worker runs. Ends of ours are told by file: for Ray a failure is a reason to try again."""
    from feedbackloop.jobs.train import sft
    from feedbackloop.jobs.train.ray_report import Report

    plan: Plan = config["plan"]
    try:
        outcome: Outcome | JobError = sft.train(plan, Report(), kept=_kept(plan))
    except JobError as error:
        outcome = error
    except Exception as error:
        if exit_code(error) != ExitCode.OUT_OF_MEMORY:
            raise
        outcome = OutOfMemory(type(error).__name__)
    Live(plan.work).end(outcome)


def _kept(plan: Plan) -> Path | None:
    """The checkpoint that Ray kept when it restarted the worker; it is newer while storage is away."""
    import ray.train

    checkpoint = ray.train.get_checkpoint()
    if checkpoint is None:
        return None
    into = plan.work / "kept"
    checkpoint.to_directory(str(into))
    return into
