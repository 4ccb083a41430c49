"""The cluster's daemons as processes: which run, start those that do not, stop them."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.cluster import network, packages, process
from tests.cluster.component import Component
from tests.cluster.description import Description
from tests.cluster.errors import ComponentDiedError
from tests.cluster.process import Identity
from tests.cluster.shell import read_json, say, write_json
from tests.cluster.waiting import tails, wait_for

READY_SECONDS = 60.0
# Whose log tells why another is not ready.
SUSPECTS = {"kube-apiserver": ("etcd",), "kubelet": ("containerd",)}


def identities(cluster: Description) -> dict[str, Identity]:
    """The processes we started, by component, running or not."""
    content = read_json(cluster.paths.processes, {})
    return {name: Identity.parse(entry) for name, entry in content.items()}


def running(cluster: Description) -> dict[str, Identity]:
    """Those that still run."""
    return {name: identity for name, identity in identities(cluster).items() if process.is_running(identity)}


def start_missing(cluster: Description, components: Iterable[Component]) -> list[str]:
    """Start each component that does not run; the names of those started."""
    alive = running(cluster)
    started = [component for component in components if component.name not in alive]
    for component in started:
        identity = _start(cluster, component)
        _remember(cluster, component.name, identity)
        say(f"  started {component.name} (pid {identity.pid})")
    return [component.name for component in started]


def _start(cluster: Description, component: Component) -> Identity:
    argv = network.inside(cluster.paths, component.argv) if cluster.has_node else list(component.argv)
    environment = {"PATH": packages.SYSTEM_PATH, "HOME": str(cluster.paths.state), "TZ": os.environ.get("TZ", "UTC")}
    return process.start(argv, component.argv[0], cluster.paths.log(component.name), environment)


def _remember(cluster: Description, name: str, identity: Identity) -> None:
    known = {**identities(cluster), name: identity}
    write_json(cluster.paths.processes, {key: value.as_json() for key, value in known.items()})


def wait_ready(cluster: Description, components: Sequence[Component]) -> None:
    """Wait for each; a component that dies meanwhile ends the wait, with its log."""
    for component in components:
        wait_for(
            component.is_ready,
            f"{component.name} to be ready",
            seconds=READY_SECONDS,
            logs=[cluster.paths.log(name) for name in (component.name, *SUSPECTS.get(component.name, ()))],
            still_possible=lambda: _check_alive(cluster, components),
        )


def _check_alive(cluster: Description, components: Iterable[Component]) -> None:
    alive = running(cluster)
    dead = [component.name for component in components if component.name not in alive]
    if dead:
        raise ComponentDiedError(f"{', '.join(dead)} ended at once{tails([cluster.paths.log(name) for name in dead])}")


def stop(cluster: Description, names: Iterable[str]) -> None:
    """Stop these components, in this order."""
    alive = running(cluster)
    for name in names:
        if name in alive:
            process.stop(alive[name], name)


def shims(socket: Path) -> list[Identity]:
    """containerd's helpers, one for each pod, which outlive it: those that name this cluster's socket."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (identity := _shim(entry, str(socket))):
            found.append(identity)
    return found


def _shim(entry: Path, socket: str) -> Identity | None:
    try:
        words = (entry / "cmdline").read_text().split("\0")
        stat = process.parse_stat((entry / "stat").read_text())
    except OSError:
        return None
    ours = words[0].endswith("containerd-shim-runc-v2") and socket in words
    return Identity(int(entry.name), stat.started, process.boot_id(), socket) if ours else None
