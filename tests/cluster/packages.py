"""The tools of the operating system that the cluster needs, installed from Debian's packages when they are missing."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.errors import CommandError, MissingToolError
from tests.cluster.shell import run, say, succeeds

ALWAYS: Mapping[str, str] = {"openssl": "openssl"}
NODE: Mapping[str, str] = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
IMAGES: Mapping[str, str] = {"mmdebstrap": "mmdebstrap", "buildah": "buildah"}
# A login shell that is not root's may lack these, and the node's tools live there.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing(wanted: Mapping[str, str]) -> list[str]:
    """The packages whose tool is not there."""
    return sorted({package for tool, package in wanted.items() if not _present(tool)})


def _present(tool: str) -> bool:
    return Path(tool).exists() if tool.startswith("/") else shutil.which(tool, path=SYSTEM_PATH) is not None


def install(wanted: Mapping[str, str], purpose: str) -> None:
    """Install what is missing, and say so. Debian's containerd service, if it starts, is not the one we use."""
    packages = missing(wanted)
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise MissingToolError(f"{purpose} needs {', '.join(packages)}: install them with your package manager")
    say(f"installing {' '.join(packages)} from Debian, for {purpose}")
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    if not succeeds(["apt-cache", "show", *packages]):
        run(["apt-get", "update", "-q"])
    try:
        run(command, env=environment)
    except CommandError:
        # The lists may be older than the archive.
        run(["apt-get", "update", "-q"])
        run(command, env=environment)
