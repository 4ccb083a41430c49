"""The cluster's certificates: one authority, a serving certificate, and one client certificate for each component."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.shell import run, write_text
from tests.cluster.slots import Network

DAYS = "3650"
# The system's configuration would add extensions of its own, which then collide with ours.
CONFIG = "[req]\ndistinguished_name = name\n[name]\n"
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash")
LEAF = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    "extendedKeyUsage=clientAuth,serverAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
)


@dataclass(frozen=True)
class Certificate:
    """One leaf: file name, user name, group, and the names it serves under."""

    file: str
    user: str
    group: str = ""
    serves: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """OpenSSL's spelling of the subject."""
        return f"{f'/O={self.group}' if self.group else ''}/CN={self.user}"

    @property
    def extensions(self) -> tuple[str, ...]:
        """OpenSSL's spelling of the extensions."""
        return (*LEAF, f"subjectAltName={','.join(self.serves)}") if self.serves else LEAF


def certificates(network: Network, node: str) -> list[Certificate]:
    """Every certificate of a cluster."""
    return [
        Certificate("apiserver", "kube-apiserver", serves=api_server_names(network)),
        Certificate("apiserver-kubelet-client", "kube-apiserver", "system:masters"),
        Certificate("admin", "admin", "system:masters"),
        Certificate("controller-manager", "system:kube-controller-manager"),
        Certificate("scheduler", "system:kube-scheduler"),
        Certificate("proxy", "system:kube-proxy"),
        Certificate("coredns", "system:coredns"),
        Certificate("kubelet", f"system:node:{node}", "system:nodes", (f"DNS:{node}", f"IP:{network.node_address}")),
    ]


def api_server_names(network: Network) -> tuple[str, ...]:
    """All the names that clients in and out of the cluster call the API server by."""
    service = ["kubernetes", "default", "svc", "cluster", "local"]
    names = ("localhost", *(".".join(service[:length]) for length in (1, 2, 3, 5)))
    addresses = ("127.0.0.1", network.kubernetes_address, network.node_address)
    return (*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses))


def ensure(folder: Path, wanted: Iterable[Certificate]) -> None:
    """Make what is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(folder / "openssl.cnf", CONFIG)
    if not (folder / "ca.crt").exists():
        _certify(folder, "ca", "/CN=feedbackloop-test-cluster", AUTHORITY, [])
    signing: list[str | Path] = ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key"]
    for certificate in wanted:
        if not (folder / f"{certificate.file}.crt").exists():
            _certify(folder, certificate.file, certificate.subject, certificate.extensions, signing)
    _service_account_keys(folder)


def _certify(folder: Path, file: str, subject: str, extensions: Iterable[str], signing: list[str | Path]) -> None:
    partial = folder / f"{file}.partial"
    key: list[str | Path] = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        folder / f"{file}.key",
    ]
    added = [word for extension in extensions for word in ("-addext", extension)]
    common: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-config",
        folder / "openssl.cnf",
        "-days",
        DAYS,
        "-subj",
        subject,
    ]
    run([*common, *key, *added, *signing, "-out", partial])
    partial.rename(folder / f"{file}.crt")


def _service_account_keys(folder: Path) -> None:
    private, public = folder / "service-accounts.key", folder / "service-accounts.pub"
    if not public.exists():
        run(["openssl", "genrsa", "-out", private, "2048"])
        run(["openssl", "rsa", "-in", private, "-pubout", "-out", public])
