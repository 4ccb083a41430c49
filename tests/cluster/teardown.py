"""Taking a cluster down so that nothing of it is left: processes, mounts, links, namespaces, groups, files."""

import shutil
import signal
from pathlib import Path

from tests.cluster import cgroups, mounts, network, paths, process, slots, supervisor
from tests.cluster.description import Description
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for

# First those that would start pods again.
BEFORE_THE_PODS = ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "coredns")
AFTER_THE_PODS = ("containerd", "kube-apiserver", "etcd")
# Two places that the node's tools do not let us move.
CONTAINER_LOG_LINKS = Path("/var/log/containers")
CNI_RESULTS = Path("/var/lib/cni/results")


def take_down(cluster: Description) -> None:
    """Everything, in an order in which nothing comes back."""
    supervisor.stop(cluster, BEFORE_THE_PODS)
    if cluster.has_node:
        _remove_pods(cluster)
    supervisor.stop(cluster, AFTER_THE_PODS)
    if cluster.has_node:
        _remove_node(cluster)
    _remove_files(cluster)
    slots.release(paths.runtime(), cluster.name)


def _remove_pods(cluster: Description) -> None:
    sockets = _shim_sockets(cluster.paths.run / "containerd")
    cgroups.kill(cluster.name)
    for shim in supervisor.shims(cluster.paths.containerd_socket):
        process.send(shim, signal.SIGKILL)
    wait_for(lambda: not supervisor.shims(cluster.paths.containerd_socket), "containerd's shims to end", seconds=10)
    # A shim that shut down while we looked had a last chance to start a process.
    cgroups.kill(cluster.name)
    for socket in sockets:
        socket.unlink(missing_ok=True)


def _shim_sockets(state: Path) -> list[Path]:
    # Outside our folders by containerd's choice; each task's folder tells where.
    return [Path(file.read_text().removeprefix("unix://")) for file in state.rglob("address")]


def _remove_node(cluster: Description) -> None:
    for folder in (cluster.paths.state, cluster.paths.run):
        mounts.unmount_under(folder)
    network.remove(cluster.paths, cluster.network)
    cgroups.remove(cluster.name)
    for link in _log_links(cluster.paths.logs):
        link.unlink(missing_ok=True)
    for result in _cni_results(cluster.paths.state / "containerd"):
        result.unlink(missing_ok=True)


def _log_links(logs: Path) -> list[Path]:
    if not CONTAINER_LOG_LINKS.is_dir():
        return []
    links = (path for path in CONTAINER_LOG_LINKS.iterdir() if path.is_symlink())
    return [link for link in links if link.readlink().is_relative_to(logs)]


def _cni_results(containerd: Path) -> list[Path]:
    sandboxes = {folder.name for folder in containerd.glob("io.containerd.grpc.v1.cri/sandboxes/*")}
    return [result for result in CNI_RESULTS.glob("*-*") if sandboxes & set(result.name.split("-"))]


def _remove_files(cluster: Description) -> None:
    for folder in (cluster.paths.run, cluster.paths.state):
        # A volume may be a directory of the host: never delete through a mount.
        if left := mounts.under(folder):
            raise ClusterError(f"still mounted, so nothing is deleted: {', '.join(map(str, left))}")
        if folder.exists():
            shutil.rmtree(folder)
