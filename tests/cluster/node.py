"""The node: scheduler, containerd, kubelet, kube-proxy and DNS."""

from tests.cluster import cgroups, node_config
from tests.cluster.build import Binaries
from tests.cluster.component import Component, flags, http_ready
from tests.cluster.description import Description
from tests.cluster.shell import succeeds


def components(cluster: Description, binaries: Binaries) -> list[Component]:
    """The node's daemons, in the order to start them."""
    cgroups.ensure(cluster.name)
    node_config.write(cluster)
    return [
        scheduler(cluster, binaries),
        kubelet(cluster, binaries),
        proxy(cluster, binaries),
        coredns(cluster, binaries),
    ]


def containerd(cluster: Description) -> Component:
    """The container runtime: Debian's, but with folders and a socket of our own."""
    paths = cluster.paths
    client = ["ctr", "--address", str(paths.containerd_socket), "version"]
    argv = ("/usr/bin/containerd", "--config", str(paths.config / "containerd.toml"))
    return Component("containerd", argv, lambda: paths.containerd_socket.exists() and succeeds(client))


def scheduler(cluster: Description, binaries: Binaries) -> Component:
    """The scheduler."""
    port = cluster.network.port("scheduler")
    kubeconfig = cluster.paths.client("scheduler")
    options = flags(
        kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig,
        authorization_kubeconfig=kubeconfig,
        bind_address=cluster.address,
        secure_port=port,
        leader_elect=False,
    )
    binary = str(binaries.path("kube-scheduler"))
    return Component("kube-scheduler", (binary, *options), http_ready(cluster.address, port))


def kubelet(cluster: Description, binaries: Binaries) -> Component:
    """The kubelet."""
    port = cluster.network.port("kubelet-healthz")
    options = flags(
        config=cluster.paths.config / "kubelet.json",
        kubeconfig=cluster.paths.client("kubelet"),
        root_dir=cluster.paths.state / "kubelet",
        cert_dir=cluster.paths.pki,
        hostname_override=cluster.node,
        node_ip=cluster.network.node_address,
    )
    return Component("kubelet", (str(binaries.path("kubelet")), *options), http_ready(cluster.address, port, tls=False))


def proxy(cluster: Description, binaries: Binaries) -> Component:
    """kube-proxy: Services, from pods and from the host."""
    port = cluster.network.port("proxy-healthz")
    argv = (str(binaries.path("kube-proxy")), *flags(config=cluster.paths.config / "kube-proxy.json"))
    return Component("kube-proxy", argv, http_ready(cluster.address, port, tls=False))


def coredns(cluster: Description, binaries: Binaries) -> Component:
    """The cluster's DNS, as a process of the node: no image to build, and up before the first pod."""
    port = cluster.network.port("dns-health")
    argv = (str(binaries.path("coredns")), "-conf", str(cluster.paths.config / "Corefile"))
    return Component("coredns", argv, http_ready(cluster.address, port, "/health", tls=False))
