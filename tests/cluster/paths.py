"""Where everything lives.

`$FEEDBACKLOOP_CACHE` (default /var/cache/feedbackloop; ~/.cache/feedbackloop for a user who is not root) keeps what is
dear to make (binaries, images) and each cluster's state. `/run/feedbackloop` keeps what dies with the machine: sockets,
process identities, network namespaces. It is one for the whole machine, since slots (addresses) are.
"""

import os
from dataclasses import dataclass
from pathlib import Path


def cache() -> Path:
    """The folder that outlives clusters."""
    home = "/var/cache/feedbackloop" if os.geteuid() == 0 else "~/.cache/feedbackloop"
    return Path(os.environ.get("FEEDBACKLOOP_CACHE") or home).expanduser().absolute()


def runtime() -> Path:
    """The folder that outlives no reboot; short, since a socket's path may have 107 bytes."""
    return Path("/run/feedbackloop") if os.geteuid() == 0 else cache() / "run"


@dataclass(frozen=True)
class ClusterPaths:
    """The files of one cluster."""

    state: Path
    run: Path

    @classmethod
    def of(cls, name: str) -> "ClusterPaths":
        """The paths of the cluster of this name."""
        return cls(state=cache() / "clusters" / name, run=runtime() / name)

    @property
    def description(self) -> Path:
        """What the cluster is: profile and slot."""
        return self.state / "cluster.json"

    @property
    def processes(self) -> Path:
        """The identities of the processes we started."""
        return self.run / "processes.json"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """The components' configuration files and kubeconfigs."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """The components' logs."""
        return self.state / "logs"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each request to the API server."""
        return self.logs / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def netns(self) -> Path:
        """The node's network namespace."""
        return self.run / "net"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd answers."""
        return self.run / "containerd.sock"

    @property
    def volumes(self) -> Path:
        """The directories behind the generic local volumes."""
        return self.state / "volumes"

    def log(self, component: str) -> Path:
        """The log of one component."""
        return self.logs / f"{component}.log"

    def client(self, user: str) -> Path:
        """The kubeconfig of a component."""
        return self.config / f"{user}.kubeconfig"
