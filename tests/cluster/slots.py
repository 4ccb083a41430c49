"""Slots: each cluster on the machine claims a small number, from which all its addresses and ports follow."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked
from tests.cluster.shell import read_json, write_json

SLOTS = 64
FIRST_PORT = 26000
PORTS = (
    "apiserver",
    "etcd",
    "etcd-peer",
    "controller-manager",
    "scheduler",
    "kubelet",
    "kubelet-healthz",
    "proxy-healthz",
    "proxy-metrics",
    "dns-health",
)
PORTS_PER_SLOT = 16


@dataclass(frozen=True)
class Network:
    """The addresses of one slot: the link to the node, the pods and the Services, in networks no other slot has."""

    slot: int

    @property
    def host_address(self) -> str:
        """The machine as the pods see it: a server of the host that pods shall reach listens here."""
        return f"10.200.{self.slot}.1"

    @property
    def node_address(self) -> str:
        """The node, and the API server, as the host and the pods see them."""
        return f"10.200.{self.slot}.2"

    @property
    def pod_cidr(self) -> str:
        """The pods' addresses."""
        return f"10.201.{self.slot}.0/24"

    @property
    def service_cidr(self) -> str:
        """The Services' addresses."""
        return f"10.202.{self.slot}.0/24"

    @property
    def kubernetes_address(self) -> str:
        """The Service `kubernetes`: always the first address of the range."""
        return f"10.202.{self.slot}.1"

    @property
    def dns_address(self) -> str:
        """The Service `kube-dns`."""
        return f"10.202.{self.slot}.10"

    @property
    def link(self) -> str:
        """The host's end of the link to the node."""
        return f"feedbackloop{self.slot}"

    def port(self, server: str) -> int:
        """The port of one server."""
        return FIRST_PORT + self.slot * PORTS_PER_SLOT + PORTS.index(server)


def choose(claims: Mapping[str, int], name: str) -> int:
    """The slot that `name` has, or else the first free one."""
    if name in claims:
        return claims[name]
    free = sorted(set(range(SLOTS)) - set(claims.values()))
    if not free:
        raise ClusterError(f"all {SLOTS} slots are taken, by {', '.join(sorted(claims))}: take one down")
    return free[0]


def claim(folder: Path, name: str) -> Network:
    """Claim a slot for the cluster; the same one again if it has one."""
    with _table(folder):
        claims: dict[str, int] = read_json(folder / "slots.json", {})
        claims[name] = choose(claims, name)
        write_json(folder / "slots.json", claims)
    return Network(claims[name])


def release(folder: Path, name: str) -> None:
    """Give the cluster's slot back."""
    with _table(folder):
        claims: dict[str, int] = read_json(folder / "slots.json", {})
        claims.pop(name, None)
        write_json(folder / "slots.json", claims)


def _table(folder: Path) -> AbstractContextManager[None]:
    return locked(folder / "slots.lock", "waiting for another cluster to choose its slot")
