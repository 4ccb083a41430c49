import signal

import pytest

from feedbackloop.api.jobs import ExitCode
from feedbackloop.events import errors as events
from feedbackloop.jobs import errors
from feedbackloop.jobs.runtime import Stopping


class OutOfMemoryError(RuntimeError):
    """Called like torch's."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidSpec(), ExitCode.INVALID_SPEC),
        (errors.InvalidDataset(), ExitCode.INVALID_DATASET),
        (errors.Diverged(), ExitCode.DIVERGED),
        (errors.OutOfMemory(), ExitCode.OUT_OF_MEMORY),
        (errors.StorageUnavailable(), ExitCode.STORAGE_UNAVAILABLE),
        (errors.BaseModelUnavailable(), ExitCode.BASE_MODEL_UNAVAILABLE),
        (errors.Preempted(), ExitCode.PREEMPTED),
        (errors.Terminated(), ExitCode.PREEMPTED),
        (MemoryError(), ExitCode.OUT_OF_MEMORY),
        (OutOfMemoryError("x"), ExitCode.OUT_OF_MEMORY),
        (RuntimeError("CUDA error: out of memory"), ExitCode.OUT_OF_MEMORY),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
            ExitCode.OUT_OF_MEMORY,
        ),
        (events.StorageUnavailable("503"), ExitCode.STORAGE_UNAVAILABLE),
        (events.EnvelopeError(), ExitCode.INVALID_DATASET),
        (events.SegmentMissing(), ExitCode.INVALID_DATASET),
        (ValueError("out of memory"), errors.BUG),
        (KeyError("x"), errors.BUG),
    ],
)
def test_the_class_of_an_end_follows_from_its_exception(error: BaseException, code: int) -> None:
    assert errors.exit_code(error) == code


def test_sigterm_ends_the_work_at_once_unless_the_stage_saves_first() -> None:
    stopping = Stopping()
    with pytest.raises(errors.Terminated):
        stopping.handle(signal.SIGTERM, None)
    called = []
    stopping.gracefully(lambda: called.append(True))
    stopping.handle(signal.SIGTERM, None)
    assert called == [True]
    assert stopping.requested.is_set()
