"""Mounts under a folder: found, and taken away."""

import re
from pathlib import Path

from tests.cluster.shell import run, succeeds

MOUNTINFO = Path("/proc/self/mountinfo")


def parse(mountinfo: str) -> list[tuple[Path, str]]:
    """(mount point, file system type) of every mount, in the order they were made."""
    return [_parse_line(line) for line in mountinfo.splitlines()]


def _parse_line(line: str) -> tuple[Path, str]:
    fields, _, source = line.partition(" - ")
    return Path(_unescape(fields.split()[4])), source.split()[0]


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def under(folder: Path, mountinfo: str | None = None) -> list[Path]:
    """The mount points at or below the folder, the last mounted first."""
    text = MOUNTINFO.read_text() if mountinfo is None else mountinfo
    return [point for point, _ in reversed(parse(text)) if point.is_relative_to(folder)]


def unmount_under(folder: Path) -> None:
    """Unmount everything below the folder; what is busy is detached, and goes when its last user does."""
    for point in under(folder):
        if not succeeds(["umount", point]):
            run(["umount", "--lazy", point])


def is_mounted(point: Path) -> bool:
    """Whether something is mounted exactly there."""
    return any(mounted == point for mounted, _ in parse(MOUNTINFO.read_text()))
