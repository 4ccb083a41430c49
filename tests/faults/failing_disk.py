"""A disk that fails as a test says, below the gateway's own code: by a small file that is read at every call.

`{"errno": "ENOSPC", "in": ".seg", "keep": 100, "stall": 0.5}`: writes to files whose name ends so keep so many bytes
(a short write), wait so many seconds, and fail with this error; members may be left out. An empty file: all is well.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Control:
    """The test's side: writes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.well()

    def fail(self, **fault: Any) -> None:
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(fault))
        scratch.replace(self.path)

    def well(self) -> None:
        self.fail()


def install(control: Path) -> None:
    """Wraps this process's writes and the making of files."""
    real_pwritev, real_open, real_allocate = os.pwritev, os.open, os.posix_fallocate

    def fault_of(place: str) -> dict[str, Any]:
        fault: dict[str, Any] = json.loads(control.read_text())
        return fault if place.endswith(fault.get("in", "")) else {}

    def struck(fault: dict[str, Any]) -> None:
        time.sleep(fault.get("stall", 0))
        if code := fault.get("errno"):
            raise OSError(getattr(errno, code), "made to fail")

    def pwritev(fd: int, buffers: Sequence[bytes], offset: int, flags: int = 0) -> int:
        fault = fault_of(str(Path(f"/proc/self/fd/{fd}").readlink()))
        if fault.get("keep"):
            real_pwritev(fd, [b"".join(buffers)[: fault["keep"]]], offset, flags)
        struck(fault)
        return real_pwritev(fd, buffers, offset, flags)

    def wrapped_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_EXCL and fault_of(str(path)).get("errno") == "EROFS":
            raise OSError(errno.EROFS, "made to fail")
        return real_open(path, flags, *more, **named)

    def allocate(fd: int, offset: int, length: int) -> None:
        struck(fault_of("ballast"))
        real_allocate(fd, offset, length)

    os.pwritev, os.open, os.posix_fallocate = pwritev, wrapped_open, allocate  # type: ignore[assignment]
