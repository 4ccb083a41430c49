"""What tests and the demo import: the running cluster, by name.

With `CLUSTER=current` in the environment it is the cluster of the user's kubeconfig instead: nothing is started.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import build, description
from tests.cluster.errors import MissingToolError
from tests.cluster.kubectl import Kubectl

DEFAULT_NAME = "dev"


def uses_current() -> bool:
    """Whether the user's own cluster is to be used."""
    return os.environ.get("CLUSTER") == "current"


def kubeconfig(name: str = DEFAULT_NAME) -> Path:
    """The administrator's kubeconfig."""
    return _current_kubeconfig() if uses_current() else description.load(name).paths.kubeconfig


def _current_kubeconfig() -> Path:
    first, _, _ = os.environ.get("KUBECONFIG", "").partition(os.pathsep)
    return Path(first or "~/.kube/config").expanduser()


def binary(component: str) -> Path:
    """The path of `kubectl` or `helm`, ours or, on the user's own cluster, the user's."""
    if not uses_current():
        return build.ensure().path(component)
    found = shutil.which(component)
    if not found:
        raise MissingToolError(f"CLUSTER=current needs {component} on the PATH")
    return Path(found)


def kubectl(name: str = DEFAULT_NAME) -> Kubectl:
    """kubectl on the cluster."""
    return Kubectl(binary("kubectl"), kubeconfig(name))


@dataclass(frozen=True)
class Addresses:
    """Where things are on the network."""

    server: str
    host: str
    pod_cidr: str
    service_cidr: str


def addresses(name: str = DEFAULT_NAME) -> Addresses:
    """Of a cluster of ours. Pods reach a server of the host at `host`; the host reaches pods and Services directly."""
    cluster = description.load(name)
    network = cluster.network
    return Addresses(cluster.server, network.host_address, network.pod_cidr, network.service_cidr)


def audit_log(name: str = DEFAULT_NAME) -> Path:
    """One JSON line (audit.k8s.io/v1 Event, level Metadata) for each request; the cluster's own reads left out."""
    return description.load(name).paths.audit_log
