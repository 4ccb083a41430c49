"""The gateway with the functions that pack and seal timed: `python -m tests.bench.gateway.timed_gateway`."""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

FILE = "FL_BENCH_COUNTERS"
_FIELDS = struct.Struct("<QQdd")
SIZE = _FIELDS.size


class Timings(Struct, frozen=True):
    """Calls, the CPU time measured around them, and what one call's timing costs outside and inside of that."""

    calls: int
    spent_ns: int
    outside_ns_a_call: float
    inside_ns_a_call: float

    @classmethod
    def read(cls, shared: mmap.mmap) -> Timings:
        return cls(*_FIELDS.unpack_from(shared))

    def since(self, before: Timings) -> Timings:
        return Timings(
            self.calls - before.calls, self.spent_ns - before.spent_ns, self.outside_ns_a_call, self.inside_ns_a_call
        )

    @property
    def overhead_ns(self) -> float:
        """What timing cost in all."""
        return self.calls * (self.outside_ns_a_call + self.inside_ns_a_call)

    @property
    def inner_ns(self) -> float:
        """What of `spent_ns` is the timing's own."""
        return self.calls * self.inside_ns_a_call


class Stopwatch:
    """Adds up the thread's CPU time of the functions that it wraps, all of them on the event loop's thread."""

    def __init__(self) -> None:
        self.calls = self.spent = 0
        self.outside = self.inside = 0.0
        self._shared: mmap.mmap | None = None

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        clock = time.thread_time_ns

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = clock()
            result = function(*args, **kwargs)
            self.spent += clock() - start
            self.calls += 1
            return result

        return timed

    def calibrate(self, times: int = 50_000) -> None:
        """What timing a call costs, measured with a function that does nothing."""

        def nothing(*_args: Any) -> None:
            return None

        timed, clock = self.around(nothing), time.thread_time_ns
        start = clock()
        for _ in range(times):
            nothing(1, b"")
        bare, middle = clock() - start, clock()
        for _ in range(times):
            timed(1, b"")
        whole = clock() - middle
        self.inside = max(0.0, (self.spent - bare) / times)
        self.outside = max(0.0, (whole - self.spent) / times)
        self.calls = self.spent = 0

    def share(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), SIZE)

    def publish(self) -> None:
        assert self._shared is not None
        _FIELDS.pack_into(self._shared, 0, self.calls, self.spent, self.outside, self.inside)


def install(watch: Stopwatch) -> None:
    """Wraps packing (of the journal's entries) and sealing (of the log's frames)."""
    from feedbackloop.events.segment import SegmentWriter
    from feedbackloop.gateway import journal

    sealed = watch.around(SegmentWriter.frame)

    def frame(self: SegmentWriter, **parts: Any) -> Any:
        result = sealed(self, **parts)
        watch.publish()
        return result

    SegmentWriter.frame = frame  # type: ignore[method-assign]
    journal.pack_entry = watch.around(journal.pack_entry)  # type: ignore[attr-defined]


def main() -> int:
    from feedbackloop.gateway.__main__ import main as serve

    watch = Stopwatch()
    watch.calibrate()
    watch.share(Path(os.environ[FILE]))
    install(watch)
    return serve()


if __name__ == "__main__":
    sys.exit(main())
