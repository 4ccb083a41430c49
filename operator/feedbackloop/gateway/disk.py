"""The few system calls that durability hangs on, in one place so that tests can make them fail."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from feedbackloop.gateway import failpoints

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """The real disk."""

    _one_call = True

    def open_new(self, path: Path) -> int:
        """Opens a file that must not exist yet."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write_durably(self, fd: int, data: bytes, offset: int) -> None:
        """Writes all at an offset; on return it is on the disk, as after fdatasync. Raises OSError: then it may not be.

        RWF_DSYNC makes write and sync one system call, which the interpreter's lock is released for once.
        """
        written = self.write(fd, data, offset)
        while written < len(data):
            count = self.write(fd, data[written:], offset + written)
            if count <= 0:
                raise OSError(errno.EIO, "a write made no progress")
            written += count

    def write(self, fd: int, data: bytes, offset: int) -> int:
        """One durable write, maybe short."""
        if self._one_call:
            try:
                return os.pwritev(fd, (data,), offset, os.RWF_DSYNC)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                    raise
                self._one_call = False  # a file system without RWF_DSYNC
        count = os.pwrite(fd, data, offset)
        os.fdatasync(fd)
        return count

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


class SteppedDisk(Disk):
    """Writes, and syncs, in steps: for failpoints in between."""

    def write(self, fd: int, data: bytes, offset: int) -> int:
        half = len(data) // 2
        os.pwrite(fd, data[:half], offset)
        failpoints.reached("mid-write")
        os.pwrite(fd, data[half:], offset + half)
        failpoints.reached("before-sync")
        os.fdatasync(fd)
        return len(data)


def the_disk() -> Disk:
    """The disk as the process uses it."""
    return SteppedDisk() if failpoints.ARMED else Disk()


def replace_file(path: Path, data: bytes, disk: Disk) -> None:
    """Writes a file so that after a crash there is either the old or the new one, whole."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    try:
        _write_new(scratch, data, disk)
    except OSError:
        # What could not be written whole must not take up room either.
        scratch.unlink(missing_ok=True)
        raise
    scratch.replace(path)
    disk.sync_directory(path.parent)


def _write_new(path: Path, data: bytes, disk: Disk) -> None:
    fd = disk.open_new(path)
    try:
        disk.write_durably(fd, data, 0)
    finally:
        disk.close(fd)
