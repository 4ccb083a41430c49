"""One real S3 for all benchmarks of a run: a fresh volume needs it once, some figures need it all the time."""

from __future__ import annotations

import atexit
import functools
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.gateway import cpu
from tests.support.seaweedfs import SeaweedFs, seaweedfs

BUCKET = "feedback"


@functools.cache
def shared() -> SeaweedFs:
    """Started at the first call, gone at the end of the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(TemporaryDirectory())
    with cpu.core(cpu.LOAD):
        started = stack.enter_context(seaweedfs(Path(folder)))
    started.make_bucket(BUCKET)
    return started
