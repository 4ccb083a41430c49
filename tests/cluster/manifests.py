"""The objects that a cluster with a node starts with: DNS, and the class of its static volumes."""

from typing import Any

from tests.cluster.slots import Network

STORAGE_CLASS = "local"


def initial(network: Network) -> dict[str, Any]:
    """All of them, as one List."""
    return as_list([dns_service(network), dns_endpoints(network), *dns_rights(), storage_class()])


def as_list(items: list[dict[str, Any]]) -> dict[str, Any]:
    """One object for one `kubectl apply`."""
    return {"apiVersion": "v1", "kind": "List", "items": items}


def dns_service(network: Network) -> dict[str, Any]:
    """The Service that every pod's resolv.conf names; without a selector, since DNS is no pod."""
    ports = [{"name": f"dns-{protocol.lower()}", "protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": network.dns_address, "ports": ports},
    }


def dns_endpoints(network: Network) -> dict[str, Any]:
    """Where DNS answers: the node."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns-node",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [network.node_address], "conditions": {"ready": True}}],
        "ports": [{"name": f"dns-{protocol.lower()}", "protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
    }


def dns_rights() -> list[dict[str, Any]]:
    """What CoreDNS may read."""
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"}
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:coredns"}
    common = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "system:coredns"}}
    return [
        {**common, "kind": "ClusterRole", "rules": rules},
        {**common, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [user]},
    ]


def storage_class() -> dict[str, Any]:
    """Static volumes, bound when a pod needs them; the default, so that a claim need not name it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
