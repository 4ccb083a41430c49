"""The control plane: etcd, the API server and the controllers."""

from tests.cluster.build import Binaries
from tests.cluster.component import Component, flags, http_ready
from tests.cluster.description import Description
from tests.cluster.shell import write_json

# Controllers that act on nodes and their volumes; without a node they would only wait.
NODE_CONTROLLERS = (
    "node-lifecycle-controller",
    "node-ipam-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-expander-controller",
    "taint-eviction-controller",
)
READ_VERBS = ["get", "list", "watch"]
COMPONENT_USERS = [
    "system:apiserver",
    "system:coredns",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
]
COMPONENT_GROUPS = ["system:nodes", "system:serviceaccounts:kube-system"]


def audit_policy() -> dict[str, object]:
    """One line for each finished request, by whom and to what; the cluster's own reads and heartbeats left out."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": COMPONENT_USERS, "verbs": READ_VERBS},
            {"level": "None", "userGroups": COMPONENT_GROUPS, "verbs": READ_VERBS},
            {"level": "None", "namespaces": ["kube-node-lease"]},
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*"]},
            {"level": "Metadata"},
        ],
    }


def components(cluster: Description, binaries: Binaries) -> list[Component]:
    """The control plane's daemons, in the order to start them."""
    write_json(cluster.paths.config / "audit-policy.json", audit_policy())
    return [etcd(cluster, binaries), api_server(cluster, binaries), controller_manager(cluster, binaries)]


def etcd(cluster: Description, binaries: Binaries) -> Component:
    """The store; on loopback of the cluster's network, where no pod reaches it."""
    client, peer = (f"http://127.0.0.1:{cluster.network.port(name)}" for name in ("etcd", "etcd-peer"))
    options = flags(
        data_dir=cluster.paths.state / "etcd",
        listen_client_urls=client,
        advertise_client_urls=client,
        listen_peer_urls=peer,
        initial_advertise_peer_urls=peer,
        initial_cluster=f"default={peer}",
        # A test cluster need not survive a power cut, and fsync is what makes a loaded machine's etcd time out.
        unsafe_no_fsync=True,
    )
    return Component("etcd", (str(binaries.path("etcd")), *options))


def api_server(cluster: Description, binaries: Binaries) -> Component:
    """The API server. Its readiness includes etcd's."""
    pki, network, port = cluster.paths.pki, cluster.network, cluster.network.port("apiserver")
    options = flags(
        etcd_servers=f"http://127.0.0.1:{network.port('etcd')}",
        bind_address=cluster.address,
        advertise_address=cluster.address,
        secure_port=port,
        service_cluster_ip_range=network.service_cidr,
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        allow_privileged=True,
        client_ca_file=pki / "ca.crt",
        cert_dir=pki,
        tls_cert_file=pki / "apiserver.crt",
        tls_private_key_file=pki / "apiserver.key",
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_account_key_file=pki / "service-accounts.pub",
        service_account_signing_key_file=pki / "service-accounts.key",
        kubelet_certificate_authority=pki / "ca.crt",
        kubelet_client_certificate=pki / "apiserver-kubelet-client.crt",
        kubelet_client_key=pki / "apiserver-kubelet-client.key",
        # The node's name is in no DNS: without this `kubectl logs` and `exec` fail.
        kubelet_preferred_address_types="InternalIP",
        # Without a node nobody calls the Service `kubernetes`, and loopback may not be in its endpoints.
        endpoint_reconciler_type="lease" if cluster.has_node else "none",
        audit_policy_file=cluster.paths.config / "audit-policy.json",
        audit_log_path=cluster.paths.audit_log,
        event_ttl="6h",
        profiling=False,
    )
    binary = str(binaries.path("kube-apiserver"))
    return Component("kube-apiserver", (binary, *options), http_ready(cluster.address, port, "/readyz"))


def controller_manager(cluster: Description, binaries: Binaries) -> Component:
    """The controllers: garbage collection, namespaces, service accounts, workloads; and, with a node, its own."""
    pki, port = cluster.paths.pki, cluster.network.port("controller-manager")
    without = () if cluster.has_node else NODE_CONTROLLERS
    options = flags(
        kubeconfig=cluster.paths.client("controller-manager"),
        bind_address=cluster.address,
        secure_port=port,
        leader_elect=False,
        controllers=",".join(["*", *(f"-{name}" for name in without)]),
        use_service_account_credentials=True,
        service_account_private_key_file=pki / "service-accounts.key",
        root_ca_file=pki / "ca.crt",
        kube_api_qps=200,
        kube_api_burst=400,
        profiling=False,
    )
    binary = str(binaries.path("kube-controller-manager"))
    return Component("kube-controller-manager", (binary, *options), http_ready(cluster.address, port))
