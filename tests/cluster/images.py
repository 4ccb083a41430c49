"""Images in the cluster's containerd. No registry: an archive is put straight in, and pods never pull."""

import time
from pathlib import Path

from tests.cluster import pause_image
from tests.cluster.build import Binaries
from tests.cluster.description import Description
from tests.cluster.node_config import PAUSE_IMAGE
from tests.cluster.shell import read_json, run, say, write_json


def ctr(cluster: Description, *words: str | Path) -> str:
    """containerd's own client, in the namespace that the kubelet uses."""
    return run(["ctr", "--address", cluster.paths.containerd_socket, "--namespace", "k8s.io", *words])


def present(cluster: Description) -> set[str]:
    """The references in the cluster."""
    return set(ctr(cluster, "images", "list", "--quiet").split())


def ensure_pause(cluster: Description, binaries: Binaries) -> None:
    """The sandbox of every pod."""
    if PAUSE_IMAGE in present(cluster):
        return
    archive = binaries.path("pause.tar")
    if not archive.exists():
        pause_image.write(binaries.path("pause"), PAUSE_IMAGE, archive)
    ctr(cluster, "images", "import", archive)


def load(cluster: Description, archive: Path, reference: str = "", content: str = "") -> bool:
    """Import an archive, unless the reference is there with the same content already; whether it was imported."""
    loaded: dict[str, str] = read_json(_record(cluster), {})
    if content and loaded.get(reference) == content and reference in present(cluster):
        return False
    started = time.monotonic()
    say(f"importing {archive.name} ({archive.stat().st_size >> 20} MiB) into cluster {cluster.name}")
    ctr(cluster, "images", "import", archive)
    if content:
        write_json(_record(cluster), {**loaded, reference: content})
    say(f"  imported in {time.monotonic() - started:.1f} s")
    return True


def _record(cluster: Description) -> Path:
    return cluster.paths.state / "images.json"
