"""The cluster's own control groups. Two kubelets under one root would each kill the other's pods as orphans."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.cluster.mounts import MOUNTINFO, parse
from tests.cluster.waiting import wait_for


def root(cluster: str) -> str:
    """The kubelet's `cgroupRoot`."""
    return f"/feedbackloop-{cluster}"


def hierarchies(mountinfo: str) -> list[Path]:
    """Every tree: one for each version 1 controller, and version 2's, which may be mounted beside them."""
    return [point for point, kind in parse(mountinfo) if kind in ("cgroup", "cgroup2")]


def folders(cluster: str) -> list[Path]:
    """The cluster's folder in every hierarchy."""
    return [tree / root(cluster).lstrip("/") for tree in hierarchies(MOUNTINFO.read_text())]


def ensure(cluster: str) -> None:
    """Make the groups."""
    for folder in folders(cluster):
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.mems", "cpuset.cpus"):
            _inherit(folder / name)
        _delegate(folder.parent / "cgroup.subtree_control")


def _inherit(file: Path) -> None:
    # Version 1 only: a cpuset starts empty, and nothing can run in it until it is filled.
    if file.exists() and (file.parent.parent / "cgroup.clone_children").exists():
        file.write_text((file.parent.parent / file.name).read_text())


def _delegate(control: Path) -> None:
    # Version 2 only. Beside version 1 its tree has no controllers to hand down.
    if control.exists() and (available := (control.parent / "cgroup.controllers").read_text().split()):
        control.write_text(" ".join(f"+{name}" for name in available))


def processes(cluster: str) -> set[int]:
    """Every process of every pod: none but ours can be in a group of ours."""
    return {pid for folder in folders(cluster) for group in _groups(folder) for pid in _pids(group / "cgroup.procs")}


def _groups(folder: Path) -> Iterator[Path]:
    """The group and those inside it. Unlike `rglob` this bears that one goes while it is walked."""
    return (Path(at) for at, _, _ in os.walk(folder))


def _pids(file: Path) -> Iterator[int]:
    try:
        yield from (int(line) for line in file.read_text().split())
    except OSError:
        return


def kill(cluster: str) -> None:
    """Kill the pods' processes until none is left."""

    def none_left() -> bool:
        left = processes(cluster)
        for pid in left:
            _kill(pid)
        return not left

    wait_for(none_left, "the pods' processes to end", seconds=30)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def remove(cluster: str) -> None:
    """Remove the groups, the innermost first."""
    wait_for(lambda: _removed(cluster), "the pods' control groups to go", seconds=15)


def _removed(cluster: str) -> bool:
    try:
        for folder in folders(cluster):
            for inner in sorted(_directories(folder), reverse=True):
                inner.rmdir()
            if folder.exists():
                folder.rmdir()
    except OSError:
        return False
    return True


def _directories(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_dir()]
