"""Slots: no two clusters share an address or a port."""

import ipaddress
from itertools import combinations
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.slots import PORTS, PORTS_PER_SLOT, SLOTS, Network, choose, claim, release


def test_a_cluster_keeps_its_slot() -> None:
    assert choose({"dev": 3}, "dev") == 3


def test_a_new_cluster_gets_the_first_free_slot() -> None:
    assert choose({"a": 0, "b": 2}, "c") == 1


def test_when_all_slots_are_taken_the_error_names_who_has_them() -> None:
    with pytest.raises(ClusterError, match="c63"):
        choose({f"c{slot}": slot for slot in range(SLOTS)}, "late")


def test_claims_outlive_the_process_and_end_with_release(tmp_path: Path) -> None:
    assert [claim(tmp_path, name).slot for name in ("a", "b", "a")] == [0, 1, 0]
    release(tmp_path, "a")
    assert claim(tmp_path, "c").slot == 0


def test_releasing_what_was_never_claimed_is_no_error(tmp_path: Path) -> None:
    release(tmp_path, "nobody")


def test_no_two_slots_share_a_port() -> None:
    ports = [Network(slot).port(server) for slot in range(SLOTS) for server in PORTS]
    assert len(set(ports)) == len(ports)
    assert len(PORTS) <= PORTS_PER_SLOT


def test_ports_stay_below_those_of_node_ports_and_of_outgoing_connections() -> None:
    assert max(Network(SLOTS - 1).port(server) for server in PORTS) < 30000


def test_no_two_networks_overlap() -> None:
    cidrs = [ipaddress.ip_network(cidr) for slot in range(SLOTS) for cidr in _cidrs(Network(slot))]
    assert not [pair for pair in combinations(cidrs, 2) if pair[0].overlaps(pair[1])]


def _cidrs(network: Network) -> tuple[str, str, str]:
    return network.pod_cidr, network.service_cidr, f"10.200.{network.slot}.0/30"


def test_fixed_service_addresses_are_in_the_range() -> None:
    network = Network(7)
    addresses = (network.kubernetes_address, network.dns_address)
    assert all(ipaddress.ip_address(each) in ipaddress.ip_network(network.service_cidr) for each in addresses)


def test_a_links_name_fits_the_kernels_limit() -> None:
    assert len(Network(SLOTS - 1).link) <= 15
