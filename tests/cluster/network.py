"""The node's network: a namespace of its own, and a link to the host.

A namespace for each cluster keeps what would collide apart (kube-proxy's chains, CNI interfaces, ports), and is torn
down whole. Only the network is apart: kubelet and containerd must share the host's mounts.
The node has no default route: what a pod sends outside the cluster fails at once instead of timing out.
"""

from collections.abc import Sequence

from tests.cluster import mounts
from tests.cluster.paths import ClusterPaths
from tests.cluster.shell import run, succeeds
from tests.cluster.slots import Network


def inside(paths: ClusterPaths, argv: Sequence[str]) -> list[str]:
    """The command, run in the node's network. Not `ip netns exec`, which would give it mounts of its own too."""
    return ["nsenter", f"--net={paths.netns}", "--", *argv]


def ensure(paths: ClusterPaths, network: Network) -> None:
    """Make the namespace and the link, unless they are there."""
    if not mounts.is_mounted(paths.netns):
        paths.netns.parent.mkdir(parents=True, exist_ok=True)
        paths.netns.touch()
        run(["unshare", f"--net={paths.netns}", "true"])
    if not succeeds(["ip", "link", "show", network.link]):
        _connect(paths, network)


def _connect(paths: ClusterPaths, network: Network) -> None:
    # Named the way ip(8) takes a path: with a slash it is no name below /run/netns.
    run(["ip", "link", "add", network.link, "type", "veth", "peer", "name", "eth0", "netns", paths.netns])
    run(["ip", "address", "add", f"{network.host_address}/30", "dev", network.link])
    run(["ip", "link", "set", network.link, "up"])
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{network.node_address}/30", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
        ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
    ):
        run(inside(paths, command))
    for cidr in (network.pod_cidr, network.service_cidr):
        run(["ip", "route", "replace", cidr, "via", network.node_address, "dev", network.link])


def remove(paths: ClusterPaths, network: Network) -> None:
    """Take the link and the namespace away, and with it every interface, route and iptables rule inside."""
    # A link also goes by itself, with the last process of its namespace: then deleting it fails, and is done.
    if not succeeds(["ip", "link", "delete", network.link]) and succeeds(["ip", "link", "show", network.link]):
        run(["ip", "link", "delete", network.link])
    if mounts.is_mounted(paths.netns):
        run(["umount", paths.netns])
