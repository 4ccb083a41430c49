"""The certificates: names, groups, and what OpenSSL makes of them."""

from pathlib import Path

import pytest

from tests.cluster import kubeconfig, pki
from tests.cluster.shell import run
from tests.cluster.slots import Network

NETWORK = Network(3)


def test_the_api_server_is_known_by_every_name_its_clients_use() -> None:
    names = pki.api_server_names(NETWORK)
    for name in ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"):
        assert f"DNS:{name}" in names
    for address in ("127.0.0.1", NETWORK.kubernetes_address, NETWORK.node_address):
        assert f"IP:{address}" in names


def test_a_group_comes_before_the_name() -> None:
    assert pki.Certificate("kubelet", "system:node:n", "system:nodes").subject == "/O=system:nodes/CN=system:node:n"
    assert pki.Certificate("proxy", "system:kube-proxy").subject == "/CN=system:kube-proxy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole PKI."""
    folder = tmp_path_factory.mktemp("pki")
    pki.ensure(folder, pki.certificates(NETWORK, "dev-node"))
    return folder


def test_every_certificate_is_of_the_authority(folder: Path) -> None:
    for certificate in pki.certificates(NETWORK, "dev-node"):
        run(["openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.crt", folder / f"{certificate.file}.crt"])


def test_a_second_run_changes_nothing(folder: Path) -> None:
    before = {file: file.read_bytes() for file in folder.glob("*.crt")}
    pki.ensure(folder, pki.certificates(NETWORK, "dev-node"))
    assert {file: file.read_bytes() for file in folder.glob("*.crt")} == before


def test_a_kubeconfig_can_be_copied_but_not_read_by_others(folder: Path, tmp_path: Path) -> None:
    content = kubeconfig.kubeconfig("dev", "https://127.0.0.1:1", folder, "admin")
    kubeconfig.write(tmp_path / "kubeconfig", content)
    assert str(folder) not in (tmp_path / "kubeconfig").read_text()
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o077 == 0
