"""Power loss: a shadow of a volume that holds only what was made durable, and the volume as a crash leaves it.

Inside the gateway's process the system calls that write and sync are wrapped (`install`), below the gateway's own
code: a file's bytes reach the shadow by a write with RWF_DSYNC or by fsync and fdatasync, a directory's names by an
fsync of the directory, and by nothing else. `lose` makes the volume what a power loss may leave of it: at least the
shadow, and by chance a torn part of what was written and not synced.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

INODES = ".inodes"


class Shadow:
    """What of a volume is durable. At its start everything is: it starts after a power loss, or empty."""

    def __init__(self, volume: Path, shadow: Path) -> None:
        self._volume, self._shadow = volume, shadow
        shutil.rmtree(shadow, ignore_errors=True)
        (shadow / INODES).mkdir(parents=True)
        for path in sorted(volume.rglob("*")):
            if path.is_file():
                shutil.copyfile(path, self._content(path.stat()))
        for folder in [volume, *(path for path in sorted(volume.rglob("*")) if path.is_dir())]:
            self._sync_names(folder)

    def _content(self, status: os.stat_result) -> Path:
        return self._shadow / INODES / str(status.st_ino)

    def _place(self, fd: int) -> Path | None:
        """Where below the volume an open file is."""
        path = Path(f"/proc/self/fd/{fd}").readlink()
        return path if path.is_relative_to(self._volume) else None

    def created(self, fd: int) -> None:
        """A new file: empty, whatever its inode was before."""
        if self._place(fd) is not None:
            content = self._content(os.fstat(fd))
            content.unlink(missing_ok=True)
            content.touch()

    def written(self, fd: int, data: bytes, offset: int) -> None:
        """These bytes are durable."""
        if self._place(fd) is not None:
            with self._content(os.fstat(fd)).open("r+b") as file:
                os.pwrite(file.fileno(), data, offset)

    def synced(self, fd: int) -> None:
        """Everything of this file or directory is durable."""
        place = self._place(fd)
        if place is None:
            return
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            self._sync_names(place)
        else:
            self._content(status).write_bytes(place.read_bytes())

    def _sync_names(self, folder: Path) -> None:
        mirror = self._shadow / folder.relative_to(self._volume)
        mirror.mkdir(exist_ok=True)
        names = {path.name: path for path in folder.iterdir()} if folder.exists() else {}
        for name, path in names.items():
            if path.is_dir():
                (mirror / name).mkdir(exist_ok=True)
            else:
                self._link(self._content(path.stat()), mirror / name)
        for path in mirror.iterdir():
            if path.name not in names and path.is_file():
                path.unlink()

    @staticmethod
    def _link(content: Path, name: Path) -> None:
        if not content.exists():
            content.touch()
        if not (name.exists() and name.samefile(content)):
            name.unlink(missing_ok=True)
            os.link(content, name)


def install(volume: Path, shadow: Path) -> None:
    """Wraps this process's system calls."""
    kept = Shadow(volume, shadow)
    real_open, real_pwritev, real_pwrite = os.open, os.pwritev, os.pwrite

    def wrapped_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        fd = real_open(path, flags, *more, **named)
        if flags & os.O_CREAT and flags & os.O_EXCL:
            kept.created(fd)
        return fd

    def wrapped_pwritev(fd: int, buffers: Sequence[bytes], offset: int, flags: int = 0) -> int:
        count = real_pwritev(fd, buffers, offset, flags)
        if flags & os.RWF_DSYNC:
            kept.written(fd, b"".join(buffers)[:count], offset)
        return count

    def syncing(real: Callable[[int], None]) -> Callable[[Any], None]:
        def sync(file: Any) -> None:
            real(file)
            kept.synced(file if isinstance(file, int) else file.fileno())

        return sync

    os.open, os.pwritev, os.pwrite = wrapped_open, wrapped_pwritev, real_pwrite  # type: ignore[assignment]
    os.fsync, os.fdatasync = syncing(os.fsync), syncing(os.fdatasync)  # type: ignore[assignment]


def forget_syncs() -> None:
    """Sabotage, above the shadow: the log's segments are written without a sync."""
    below = os.pwritev

    def forgetful(fd: int, buffers: Sequence[bytes], offset: int, flags: int = 0) -> int:
        is_log = Path(f"/proc/self/fd/{fd}").readlink().suffix == ".seg"
        return below(fd, buffers, offset, 0 if is_log else flags)

    os.pwritev = forgetful  # type: ignore[assignment]


def lose(volume: Path, shadow: Path, chance: random.Random) -> None:
    """Makes the volume what a power loss leaves."""
    left = shadow.with_name("left")
    shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(shadow, left, ignore=shutil.ignore_patterns(INODES))
    for path in sorted(volume.rglob("*.seg")):
        survivor = left / path.relative_to(volume)
        if survivor.exists() and chance.random() < 0.5:
            extra = path.read_bytes()[survivor.stat().st_size :]
            with survivor.open("ab") as file:
                file.write(extra[: chance.randint(0, len(extra))])
    shutil.rmtree(volume)
    left.rename(volume)
