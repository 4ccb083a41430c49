"""A file that takes up room on the volume, to be given up when the disk is full.

What frees a full volume is uploading, and after an upload a few small files must be written before a segment may be
deleted. Without room for them the volume would stay full for ever. While the ballast is given up the log takes nothing,
so that this room is not eaten by events.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

MOST_BYTES, LEAST_BYTES = 64 << 20, 256 << 10
SHARE = 64
"""The ballast is one part in so many of what the log may hold, within its bounds."""

logger = logging.getLogger(__name__)


class Ballast:
    """The file `path`; its methods block."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self.size = max(LEAST_BYTES, min(MOST_BYTES, limit_bytes // SHARE))
        self.present = False

    def make(self) -> bool:
        """Takes up the room, when there is as much; whether the ballast is there."""
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, self.size)
            finally:
                os.close(fd)
        except OSError:
            self._path.unlink(missing_ok=True)
            self.present = False
        else:
            self.present = True
        return self.present

    def give_up(self) -> bool:
        """Frees the room; False when it was free already."""
        if not self.present:
            return False
        logger.error("the volume is full: its ballast is given up, the log takes nothing until there is room again")
        self.present = False
        self._path.unlink(missing_ok=True)
        return True
