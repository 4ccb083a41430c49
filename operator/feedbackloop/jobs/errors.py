"""What ends a job, as a tree whose every leaf is one exit code.

`JobError` → `InvalidSpec` · `InvalidDataset` · `Diverged` · `OutOfMemory` · `StorageUnavailable` ·
`BaseModelUnavailable` · `ConsentWithdrawn` · `Preempted`, and beside it `Terminated`. Their messages
reach logs, so they name fields, keys and numbers, never content. Anything else is a bug and exits with `BUG`.
"""

# The names are the words of the contract: `INVALID_SPEC` is `InvalidSpec`.
# ruff: noqa: N818

from __future__ import annotations

from feedbackloop.api.jobs import ExitCode
from feedbackloop.events import errors as events

BUG = 1
_OOM_TEXTS = ("out of memory", "cannot allocate memory", "can't allocate memory", "not enough memory")


class JobError(Exception):
    """An end with a class of its own."""

    code: ExitCode


class InvalidSpec(JobError):
    """The spec cannot be carried out as it stands; a retry cannot help."""

    code = ExitCode.INVALID_SPEC


class InvalidDataset(JobError):
    """The data set, its events or a golden set are not what their digests say, or cannot be read."""

    code = ExitCode.INVALID_DATASET


class Diverged(JobError):
    """Training left the path: no finite loss, or one far above its start."""

    code = ExitCode.DIVERGED


class OutOfMemory(JobError):
    """The work does not fit; the operator may retry it with smaller micro-batches."""

    code = ExitCode.OUT_OF_MEMORY


class StorageUnavailable(JobError):
    """Object storage or MLflow does not answer, or refuses us; the operator waits and tries again."""

    code = ExitCode.STORAGE_UNAVAILABLE


class BaseModelUnavailable(JobError):
    """The base model cannot be fetched or does not match its digest."""

    code = ExitCode.BASE_MODEL_UNAVAILABLE


class ConsentWithdrawn(JobError):
    """Nothing that may be trained on is left of the data set; a new run builds another one."""

    code = ExitCode.CONSENT_WITHDRAWN


class Preempted(JobError):
    """The pod has to go, and what had to be saved is saved; the work goes on in the next attempt."""

    code = ExitCode.PREEMPTED


class Terminated(BaseException):
    """SIGTERM in the middle of anything. No library's `except Exception` may take it for its own."""


def exit_code(error: BaseException) -> int:
    """The class of an end by exception."""
    if isinstance(error, JobError):
        return int(error.code)
    if isinstance(error, events.EventsError):
        return int(_of_events(error))
    if _is_out_of_memory(error):
        return int(ExitCode.OUT_OF_MEMORY)
    if isinstance(error, Terminated | KeyboardInterrupt):
        return int(ExitCode.PREEMPTED)
    return BUG


def _of_events(error: events.EventsError) -> ExitCode:
    """Stored events that cannot be read back are a data set that cannot be made."""
    if isinstance(error, events.StorageUnavailable | events.KeyServiceUnavailable):
        return ExitCode.STORAGE_UNAVAILABLE
    return ExitCode.INVALID_SPEC if isinstance(error, events.KeyRefused) else ExitCode.INVALID_DATASET


def _is_out_of_memory(error: BaseException) -> bool:
    """Also of frameworks that jobs do not import: torch raises `OutOfMemoryError` or a plain RuntimeError."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(part in text for part in _OOM_TEXTS)
