"""Objects and configuration files: the parts that a cluster depends on."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster import control_plane, manifests, node_config, volumes
from tests.cluster.build import Binaries
from tests.cluster.component import flags
from tests.cluster.description import Description, Profile
from tests.cluster.slots import Network

NETWORK = Network(5)
BINARIES = Binaries(Path("/bin/folder"))


@pytest.fixture(params=list(Profile))
def cluster(request: pytest.FixtureRequest) -> Description:
    """A cluster of each profile; never started."""
    return Description("some", request.param, NETWORK)


@pytest.fixture
def node() -> Description:
    """A cluster with a node; never started."""
    return Description("some", Profile.NODE, NETWORK)


def test_flags_are_spelled_as_kubernetes_spells_them() -> None:
    assert flags(leader_elect=False, secure_port=1) == ("--leader-elect=false", "--secure-port=1")


def test_a_light_cluster_listens_on_loopback_only(cluster: Description) -> None:
    argv = control_plane.api_server(cluster, BINARIES).argv
    expected = "127.0.0.1" if cluster.profile is Profile.LIGHT else NETWORK.node_address
    assert f"--bind-address={expected}" in argv


def test_a_light_cluster_runs_no_controllers_of_nodes(cluster: Description) -> None:
    argv = " ".join(control_plane.controller_manager(cluster, BINARIES).argv)
    assert ("-node-lifecycle-controller" in argv) is not cluster.has_node


def test_writes_are_audited_and_the_clusters_own_reads_are_not() -> None:
    rules: Any = control_plane.audit_policy()["rules"]
    assert rules[-1] == {"level": "Metadata"}
    quiet = [rule for rule in rules if "users" in rule or "userGroups" in rule]
    assert all(set(rule["verbs"]) == {"get", "list", "watch"} for rule in quiet)


def test_pods_ask_the_dns_service_which_leads_to_the_node(node: Description) -> None:
    service, endpoints = manifests.dns_service(NETWORK), manifests.dns_endpoints(NETWORK)
    assert node_config.kubelet(node)["clusterDNS"] == [service["spec"]["clusterIP"]]
    assert endpoints["endpoints"][0]["addresses"] == [NETWORK.node_address]
    assert f"bind {NETWORK.node_address}" in node_config.corefile(node)


def test_everything_of_containerd_is_in_the_clusters_folders(node: Description) -> None:
    text = node_config.containerd(node)
    quoted = [line.split('"')[1] for line in text.splitlines() if '= "/' in line]
    ours = (str(node.paths.state), str(node.paths.run), node_config.CNI_PLUGINS)
    assert quoted
    assert all(path.startswith(ours) for path in quoted)


def test_a_sockets_path_fits_the_kernels_limit(node: Description) -> None:
    assert len(str(node.paths.containerd_socket)) < 80


def test_kubelet_logs_stay_in_the_clusters_folder(node: Description) -> None:
    kubelet = node_config.kubelet(node)
    assert kubelet["podLogsDir"].startswith(str(node.paths.state))
    assert kubelet["containerLogMaxFiles"] <= 3


def test_the_class_of_volumes_is_the_default_and_waits_for_the_pod() -> None:
    storage_class = manifests.storage_class()
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
    assert "true" in storage_class["metadata"]["annotations"].values()


def test_volumes_are_sorted_by_phase() -> None:
    phases = {"a": "Available", "b": "Bound", "c": "Released", "d": "Failed", "e": None, "f": "Pending"}
    assert volumes.free(phases) == ["a", "e", "f"]
    assert volumes.spent(phases) == ["c", "d"]


def test_a_published_claim_names_its_volume() -> None:
    claim = volumes.published_claim("tools", "ml", "ml-tools")
    assert claim["spec"]["volumeName"] == "ml-tools"
    assert claim["spec"]["accessModes"] == ["ReadOnlyMany"]
