"""The few system calls that durability hangs on, in one place so that tests can make them fail."""

from __future__ import annotations

import os
from pathlib import Path


class Disk:
    """The real disk."""

    def open_new(self, path: Path) -> int:
        """Opens a file that must not exist yet, for appending."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        os.fdatasync(fd)

    def truncate(self, fd: int, length: int) -> None:
        os.ftruncate(fd, length)

    def close(self, fd: int) -> None:
        os.close(fd)

    def sync_directory(self, path: Path) -> None:
        """Makes created, renamed and deleted names durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def replace_file(path: Path, data: bytes, disk: Disk) -> None:
    """Writes a file so that after a crash there is either the old or the new one, whole."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    fd = disk.open_new(scratch)
    try:
        write_all(fd, data, disk)
        disk.sync(fd)
    finally:
        disk.close(fd)
    scratch.replace(path)
    disk.sync_directory(path.parent)


def write_all(fd: int, data: bytes, disk: Disk) -> None:
    """Writes everything or raises OSError; a short write is followed by the rest, or by its error."""
    written = disk.write(fd, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        count = disk.write(fd, rest)
        if count <= 0:
            raise OSError(5, "write made no progress")
        rest = rest[count:]
