"""Building the cluster's binaries from their Go modules, once for each content of `kube/`."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import paths
from tests.cluster.errors import CommandError
from tests.cluster.locks import locked
from tests.cluster.shell import read_json, run, say, write_json
from tests.support import envs

LEAST_GO = (1, 26)
SOURCE = Path(__file__).parent / "kube"
COMPONENTS = (
    "coredns",
    "etcd",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
SPEAK_EVERY_SECONDS = 5.0
KEPT_BUILDS = 3


@dataclass(frozen=True)
class Binaries:
    """The folder that holds `kube`, a link to it for each component, and `pause`."""

    folder: Path

    def path(self, component: str) -> Path:
        """The binary of a component."""
        return self.folder / component

    @property
    def build_seconds(self) -> float:
        """How long the build took, whenever it was."""
        return float(read_json(self.folder / "build.json", {}).get("build_seconds", 0.0))


def sources(folder: Path = SOURCE) -> list[Path]:
    """The files that decide what is built."""
    return sorted([folder / "go.mod", folder / "go.sum", *folder.rglob("*.go")])


def content_hash(files: Iterable[Path], root: Path) -> str:
    """One hash over names and contents."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def binaries() -> Binaries:
    """Where the binaries of the present sources are, built or not."""
    return Binaries(paths.cache() / "bin" / content_hash(sources(), SOURCE))


def ensure() -> Binaries:
    """Build, unless that was done. Two callers at once make one build; the second waits for it."""
    built = binaries()
    if built.path("build.json").exists():
        return built
    with locked(paths.cache() / "build.lock", "waiting for the build of the cluster's binaries by another process"):
        if not built.path("build.json").exists():
            _build(built)
    return built


def kubernetes_version(go_mod: str) -> str:
    """The version of Kubernetes that go.mod requires."""
    found = re.search(r"k8s\.io/kubernetes (v[0-9.]+)", go_mod)
    assert found, "kube/go.mod does not require k8s.io/kubernetes"
    return found[1]


def linker_flags(version: str) -> str:
    """Without them `kubectl version` and every user agent would say v0.0.0."""
    major, minor, _ = version.removeprefix("v").split(".")
    server, client = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
    settings = {
        "main.version": version,
        f"{server}.gitVersion": version,
        f"{server}.gitMajor": major,
        f"{server}.gitMinor": minor,
        f"{client}.gitVersion": version,
        f"{client}.gitCommit": "modules",
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in settings.items())])


def go() -> str:
    """The Go command: the machine's when it is new enough, or else the one of `requirements/go.txt`."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    return found if found and is_recent(run([found, "version"])) else str(envs.ensure("go") / "bin" / "go")


def is_recent(version: str) -> bool:
    """Whether `go version go1.26.8 linux/amd64` can build the modules."""
    match = re.search(r"go(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) >= LEAST_GO


def _build(built: Binaries) -> None:
    started = time.monotonic()
    partial = built.folder.with_name(f"{built.folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    flags = linker_flags(kubernetes_version((SOURCE / "go.mod").read_text()))
    _compile(".", partial / "kube", flags)
    _compile("./pause", partial / "pause", "-s -w")
    for component in COMPONENTS:
        (partial / component).symlink_to("kube")
    write_json(partial / "build.json", {"build_seconds": round(time.monotonic() - started, 1)})
    shutil.rmtree(built.folder, ignore_errors=True)
    partial.rename(built.folder)
    _prune(built.folder.parent)
    say(f"built the cluster's binaries in {built.build_seconds:.0f} s: {built.folder}")


def _prune(folder: Path) -> None:
    """Keep the newest few: a cluster that runs an older build holds its files open."""
    builds = sorted(folder.glob("*/build.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in builds[KEPT_BUILDS:]:
        shutil.rmtree(file.parent)


def _compile(package: str, output: Path, flags: str) -> None:
    command = [go(), "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(output), package]
    log = output.with_suffix(".log")
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=SOURCE, env=environment, stdout=file, stderr=file)
        _narrate(process, log, package_count(package))
    if process.returncode != 0:
        raise CommandError(f"{' '.join(command)}: exit {process.returncode}\n{log.read_text()[-4000:]}")


def package_count(package: str) -> int:
    """How many Go packages the binary has. This also downloads the modules, without a word when they are there."""
    say(f"go: resolving the packages of {package} (downloads modules on a fresh machine)")
    return len(run([go(), "-C", SOURCE, "list", "-deps", package]).splitlines())


def _narrate(process: "subprocess.Popen[bytes]", log: Path, total: int) -> None:
    started = time.monotonic()
    while True:
        try:
            process.wait(timeout=SPEAK_EVERY_SECONDS)
            return
        except subprocess.TimeoutExpired:
            say(f"  {progress(log.read_text(), total)} ({time.monotonic() - started:.0f} s)")


def progress(output: str, total: int) -> str:
    """What `go build -v` has come to: it names each package that it compiles; unchanged ones come from Go's cache."""
    lines = output.splitlines()
    compiled = [line for line in lines if not line.startswith("go: ")]
    last = lines[-1] if lines else "reading Go's cache"
    return f"go build: {len(compiled)} packages compiled, of {total} at most; last: {last}"
