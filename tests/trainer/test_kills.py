"""A training killed at any point and started again ends with the very bits of an undisturbed one."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import rows
from tests.trainer.pod import Pod, wait

pytestmark = [pytest.mark.trainer, pytest.mark.timeout(900)]
Spec = dict[str, Any]


def killed(pod: Pod, spec: Spec, attempt: int, when: Callable[[], bool]) -> None:
    """One attempt that ends by SIGKILL as soon as a condition holds."""
    process = pod.start(spec, attempt)
    try:
        wait(when, process)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL, pod.log


def committed(pod: Pod, spec: Spec) -> list[str]:
    return [key for key in pod.store.keys(f"runs/{spec['runId']}/") if key.endswith("/COMMITTED")]


def trained(pod: Pod) -> bool:
    return any((pod.work / "model").glob("*.safetensors"))


def test_three_kills_leave_no_trace_in_the_weights(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(3) + rows.replayed(18))
    undisturbed = pod.train_spec(model, data_set, run="000000000000")
    assert pod.run(undisturbed) == 0, pod.log
    spec = pod.train_spec(model, data_set, run="111111111111")
    killed(pod, spec, 1, lambda: pod.step() >= 17)
    assert len(committed(pod, spec)) == 1
    killed(pod, spec, 2, lambda: pod.step() >= 33)
    killed(pod, spec, 3, lambda: trained(pod))
    assert pod.json(spec) is None
    assert pod.run(spec, 4) == 0, pod.log
    result = pod.json(spec)
    assert result["model"] == pod.json(undisturbed)["model"]
    assert result["finalLoss"] == pod.json(undisturbed)["finalLoss"]
    assert result["resumedFromStep"] in (30, 40)
    assert pod.run(spec, 5) == 0, pod.log
    assert pod.json(spec) == result
    assert "exists already" in pod.log


@pytest.mark.faults
def test_a_torn_checkpoint_is_left_out(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(3) + rows.replayed(18))
    spec = pod.train_spec(model, data_set)
    killed(pod, spec, 1, lambda: pod.step() >= 23)
    pod.store.delete(f"runs/{spec['runId']}/checkpoints/20/optimizer.pt")
    assert pod.run(spec, 2) == 0, pod.log
    assert pod.json(spec)["resumedFromStep"] == 10
    assert "checkpoint 20 is left out" in pod.log


def test_sigterm_saves_the_step_and_says_preempted(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(3) + rows.replayed(18))
    spec = pod.train_spec(model, data_set, maxSteps=4000, checkpointSteps=4000)
    process = pod.start(spec)
    wait(lambda: pod.step() >= 5, process)
    process.send_signal(signal.SIGTERM)
    assert pod.finish(process) == 20, pod.log
    (marker,) = committed(pod, spec)
    assert int(marker.split("/")[-2]) >= 5


def test_ray_train_survives_the_kill_of_everything(pod: Pod, base: Path) -> None:
    """The driver is killed with all that Ray started, as when a pod goes."""
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(3) + rows.replayed(18))
    undisturbed = pod.train_spec(model, data_set, run="000000000000")
    assert pod.run(undisturbed) == 0, pod.log
    spec = pod.train_spec(model, data_set, run="222222222222", launcher="RayTrain", numWorkers=1)
    process = pod.start(spec, group=True)
    try:
        wait(lambda: pod.step() >= 17, process)
    finally:
        pod.kill_group(process)
    assert pod.run(spec, 2) == 0, pod.log
    result = pod.json(spec)
    assert result["launcher"] == "RayTrain"
    assert result["model"] == pod.json(undisturbed)["model"]
    assert result["resumedFromStep"] >= 10


@pytest.mark.faults
def test_ray_train_goes_on_when_its_worker_is_killed(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(3) + rows.replayed(18))
    spec = pod.train_spec(model, data_set, launcher="RayTrain", numWorkers=1)
    process = pod.start(spec, group=True)
    try:
        wait(lambda: pod.step() >= 17, process)
        subprocess.run(["kill", "-KILL", str(pod.trainer_pid())], check=True)
        assert pod.finish(process) == 0, pod.log
    finally:
        pod.kill_group(process)
    assert pod.json(spec)["resumedFromStep"] >= 10


def test_ray_trains_in_this_process_with_no_workers(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.replayed(18))
    by_ray = pod.train_spec(model, data_set, maxSteps=6, launcher="RayTrain", numWorkers=0)
    alone = pod.train_spec(model, data_set, maxSteps=6, run="000000000000")
    assert pod.run(by_ray) == 0, pod.log
    assert pod.run(alone) == 0, pod.log
    assert pod.json(by_ray)["model"] == pod.json(alone)["model"]
