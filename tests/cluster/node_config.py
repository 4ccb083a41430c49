"""The configuration files of the node's daemons."""

from typing import Any

from tests.cluster import cgroups
from tests.cluster.description import Description
from tests.cluster.shell import write_json, write_text

PAUSE_IMAGE = "localhost/feedbackloop-pause:1"
EVICT_BELOW = {
    "memory.available": "100Mi",
    "nodefs.available": "1%",
    "nodefs.inodesFree": "1%",
    "imagefs.available": "1%",
}
CNI_PLUGINS = "/usr/lib/cni"


def write(cluster: Description) -> None:
    """Write them all."""
    config = cluster.paths.config
    write_json(config / "kubelet.json", kubelet(cluster))
    write_json(config / "kube-proxy.json", kube_proxy(cluster))
    write_json(config / "cni" / "10-pods.conflist", cni(cluster))
    write_text(config / "containerd.toml", containerd(cluster))
    write_text(config / "Corefile", corefile(cluster))
    # Pods get the cluster's DNS and nothing of the host's.
    write_text(config / "resolv.conf", "")


def kubelet(cluster: Description) -> dict[str, Any]:
    """KubeletConfiguration."""
    paths, network = cluster.paths, cluster.network
    authority = {"clientCAFile": str(paths.pki / "ca.crt")}
    authentication = {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": authority}
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": network.node_address,
        "port": network.port("kubelet"),
        "healthzBindAddress": network.node_address,
        "healthzPort": network.port("kubelet-healthz"),
        "authentication": authentication,
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(paths.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(paths.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{paths.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.root(cluster.name),
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [network.dns_address],
        "clusterDomain": "cluster.local",
        "resolvConf": str(paths.config / "resolv.conf"),
        "podLogsDir": str(paths.logs / "pods"),
        "volumePluginDir": str(paths.state / "kubelet-plugins"),
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
        # The machine's disk is not ours alone; and no image may be removed, since none can be pulled again.
        "evictionHard": EVICT_BELOW,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def kube_proxy(cluster: Description) -> dict[str, Any]:
    """KubeProxyConfiguration."""
    address = cluster.network.node_address
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(cluster.paths.client("proxy"))},
        "hostnameOverride": cluster.node,
        "mode": "iptables",
        "clusterCIDR": cluster.network.pod_cidr,
        "healthzBindAddress": f"{address}:{cluster.network.port('proxy-healthz')}",
        "metricsBindAddress": f"127.0.0.1:{cluster.network.port('proxy-metrics')}",
        # The limits of connection tracking belong to the machine, and may not be ours to set.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "iptables": {"minSyncPeriod": "200ms", "syncPeriod": "30s"},
        "oomScoreAdj": 0,
    }


def cni(cluster: Description) -> dict[str, Any]:
    """Pods are routed (`ptp`), not bridged: so a Service's replies always pass the node's address translation."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": cluster.network.pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(cluster.paths.run / "ipam"),
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": f"feedbackloop-{cluster.name}", "plugins": [plugin]}


def containerd(cluster: Description) -> str:
    """containerd's configuration, with everything of ours in our folders."""
    paths = cluster.paths
    return f"""\
version = 2
root = "{paths.state}/containerd"
state = "{paths.run}/containerd"
[grpc]
  address = "{paths.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  # Without CAP_SYS_RESOURCE a container's score cannot be lowered, and runc would fail with an unhelpful EOF.
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{CNI_PLUGINS}"
  conf_dir = "{paths.config}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  Root = "{paths.run}/runc"
"""


def corefile(cluster: Description) -> str:
    """The cluster's names, and a quick NXDOMAIN for all others: the cluster has no way out."""
    address, port = cluster.network.node_address, cluster.network.port("dns-health")
    return f"""\
.:53 {{
    bind {address}
    health {address}:{port} {{
        lameduck 0s
    }}
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {cluster.paths.client("coredns")}
        pods verified
        ttl 5
    }}
    cache 5
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
