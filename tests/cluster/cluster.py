"""Bringing a cluster up, from whatever state it is in."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.cluster import (
    build,
    control_plane,
    images,
    kubeconfig,
    locks,
    manifests,
    network,
    node,
    packages,
    paths,
    pki,
    slots,
    supervisor,
    teardown,
)
from tests.cluster import description as descriptions
from tests.cluster.component import Component
from tests.cluster.description import Description, Profile
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.shell import say
from tests.cluster.waiting import wait_for

CLIENTS = ("controller-manager", "scheduler", "proxy", "coredns", "kubelet")


@dataclass
class Result:
    """What `up` did."""

    cluster: Description
    seconds: float
    started: list[str] = field(default_factory=list)


def up(name: str, profile: Profile) -> Result:
    """Start the cluster, or what is missing of it."""
    _install_tools(profile)
    binaries = build.ensure()
    with _alone(name):
        began = time.monotonic()
        cluster = _describe(name, profile)
        started = _start(cluster, binaries)
        _wait_usable(cluster, _kubectl(cluster, binaries))
        return Result(cluster, time.monotonic() - began, started)


def down(name: str) -> bool:
    """Take the cluster down; whether there was one."""
    with _alone(name):
        cluster = descriptions.find(name)
        if cluster is not None:
            teardown.take_down(cluster)
    return cluster is not None


def _alone(name: str) -> AbstractContextManager[None]:
    # The lock's file stays when the cluster goes: somebody may be waiting for it.
    return locks.locked(paths.runtime() / "locks" / name, f"waiting for another command on cluster {name}")


def _install_tools(profile: Profile) -> None:
    packages.install(packages.ALWAYS, "the cluster's certificates")
    if profile is Profile.NODE:
        packages.install(packages.NODE, "the node")


def _describe(name: str, profile: Profile) -> Description:
    known = descriptions.find(name)
    if known and known.profile is not profile:
        raise ClusterError(f"cluster {name} has the profile {known.profile}: take it down, or choose another name")
    cluster = Description(name, profile, slots.claim(paths.runtime(), name))
    cluster.save()
    return cluster


def _start(cluster: Description, binaries: build.Binaries) -> list[str]:
    """Two waves: what the API needs, and what needs the API."""
    pki.ensure(cluster.paths.pki, pki.certificates(cluster.network, cluster.node))
    _write_kubeconfigs(cluster)
    control, workers = _waves(cluster, binaries)
    started = supervisor.start_missing(cluster, control)
    supervisor.wait_ready(cluster, control)
    if cluster.has_node:
        images.ensure_pause(cluster, binaries)
        _kubectl(cluster, binaries).apply(manifests.initial(cluster.network))
    started += supervisor.start_missing(cluster, workers)
    supervisor.wait_ready(cluster, workers)
    return started


def _kubectl(cluster: Description, binaries: build.Binaries) -> Kubectl:
    return Kubectl(binaries.path("kubectl"), cluster.paths.kubeconfig)


def _waves(cluster: Description, binaries: build.Binaries) -> tuple[list[Component], list[Component]]:
    etcd, api_server, controllers = control_plane.components(cluster, binaries)
    if not cluster.has_node:
        return [etcd, api_server], [controllers]
    network.ensure(cluster.paths, cluster.network)
    workers = node.components(cluster, binaries)
    return [node.containerd(cluster), etcd, api_server], [controllers, *workers]


def _write_kubeconfigs(cluster: Description) -> None:
    paths_of = cluster.paths
    for user in CLIENTS:
        kubeconfig.write(paths_of.client(user), kubeconfig.kubeconfig(cluster.name, cluster.server, paths_of.pki, user))
    kubeconfig.write(paths_of.kubeconfig, kubeconfig.kubeconfig(cluster.name, cluster.server, paths_of.pki, "admin"))


def _wait_usable(cluster: Description, kubectl: Kubectl) -> None:
    """Pods need the default ServiceAccount; with a node, also DNS and the node itself."""
    logs = cluster.paths.log
    if cluster.has_node:
        wait_for(
            lambda: _node_is_ready(cluster, kubectl),
            "the node to be Ready",
            seconds=60,
            logs=[logs("kubelet"), logs("containerd")],
        )
    wait_for(
        lambda: kubectl.succeeds("get", "serviceaccount", "default"),
        "the default ServiceAccount",
        seconds=60,
        logs=[logs("kube-controller-manager")],
    )
    say(f"cluster {cluster.name} answers at {cluster.server}")


def _node_is_ready(cluster: Description, kubectl: Kubectl) -> bool:
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return kubectl("get", "node", cluster.node, f"--output=jsonpath={path}", check=False) == "True"
