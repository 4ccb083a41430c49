"""What the end of an attempt means.

The result file outranks everything: a job that left it has done its work, whatever became of
its pod. Without it the exit code names a class, and the class decides alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from feedbackloop.api.jobs import ExitCode
from feedbackloop.domain.jobs.seen import JobSeen, PodSeen


class End(StrEnum):
    """The classes of an attempt that left no result."""

    FATAL = "Fatal"
    """Another attempt would end the same way."""
    CONSENT_WITHDRAWN = "ConsentWithdrawn"
    """Nothing may be trained on any more; another attempt would end the same way."""
    OUT_OF_MEMORY = "OutOfMemory"
    PREEMPTED = "Preempted"
    """The surroundings took the pod away; not counted."""
    STORAGE_AWAY = "StorageAway"
    """Object storage was away; waits without limit."""
    BASE_AWAY = "BaseAway"
    """The base model could not be read; waits without limit."""
    RESULT_MISSING = "ResultMissing"
    DEADLINE = "Deadline"
    FAILED = "Failed"
    """Anything else; counted."""


@dataclass(frozen=True)
class Ended:
    end: End
    message: str


KILLED, TERMINATED = 137, 143
"""128 + SIGKILL and 128 + SIGTERM."""

BY_EXIT_CODE: dict[int, Ended] = {
    ExitCode.OK: Ended(End.RESULT_MISSING, "the job ended well but left no result of its own spec"),
    ExitCode.INVALID_SPEC: Ended(End.FATAL, "the job refused its spec (exit 10)"),
    ExitCode.INVALID_DATASET: Ended(End.FATAL, "the job refused its data (exit 11)"),
    ExitCode.DIVERGED: Ended(End.FATAL, "training diverged (exit 12)"),
    ExitCode.OUT_OF_MEMORY: Ended(End.OUT_OF_MEMORY, "the job ran out of memory (exit 13)"),
    ExitCode.STORAGE_UNAVAILABLE: Ended(End.STORAGE_AWAY, "the job could not reach object storage or MLflow (exit 14)"),
    ExitCode.BASE_MODEL_UNAVAILABLE: Ended(End.BASE_AWAY, "the job could not read the base model (exit 15)"),
    ExitCode.CONSENT_WITHDRAWN: Ended(
        End.CONSENT_WITHDRAWN, "consent to all that could be trained on was withdrawn (exit 16); a new run is needed"
    ),
    ExitCode.PREEMPTED: Ended(End.PREEMPTED, "the job was told to stop (exit 20)"),
    KILLED: Ended(End.PREEMPTED, "the pod was killed (exit 137 without OOMKilled)"),
    TERMINATED: Ended(End.PREEMPTED, "the pod was told to stop (exit 143)"),
}


def ended(job: JobSeen | None) -> Ended | None:
    """How the attempt ended, given that there is no result; None while it has not (or has no Job yet)."""
    if job is None or not (job.complete or job.failed):
        return None
    if job.complete:
        return BY_EXIT_CODE[ExitCode.OK]
    if job.failed_reason == "DeadlineExceeded":
        return Ended(End.DEADLINE, "the stage took longer than activeDeadlineSeconds over all its attempts")
    return _of_pod(job.pods[0]) if job.pods else Ended(End.PREEMPTED, "the pod is gone")


def _of_pod(pod: PodSeen) -> Ended:
    if pod.reason == "OOMKilled":
        return Ended(End.OUT_OF_MEMORY, "the pod was killed for its memory (OOMKilled)")
    if pod.exit_code is not None and pod.exit_code in BY_EXIT_CODE:
        found = BY_EXIT_CODE[pod.exit_code]
        return replace(found, message=f"{found.message}: {pod.said}") if pod.said else found
    if pod.disrupted or pod.exit_code is None:
        return Ended(End.PREEMPTED, f"the cluster took the pod away ({pod.reason or 'no reason given'})")
    return Ended(End.FAILED, f"the job failed (exit {pod.exit_code})")
