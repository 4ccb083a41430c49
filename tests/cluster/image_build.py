"""Building images from ordinary Dockerfiles, over a base file system made from Debian's packages.

An image is known by the hash of everything that goes in: an unchanged one is not built again.
The builds run in a mount namespace that ends with them, so that the builder leaves no mount behind.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import dockerignore, packages, paths
from tests.cluster.locks import locked
from tests.cluster.shell import run, say, write_text

BASE = "localhost/feedbackloop-base:12"
BASE_SUITE = "bookworm"
BASE_DOCKERFILE = f"""\
FROM scratch
ADD base.tar /
ENV PATH={packages.SYSTEM_PATH}
CMD ["bash"]
"""
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates", "libgomp1", "bash", "wget")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# A host behind a proxy of its own has its authorities in the bundle; inside, pip and uv must trust the same.
PIP_CONFIG = f"[global]\ncert = {CERTIFICATES}\ncache-dir = /var/cache/pip\n"
UV_CONFIG = 'native-tls = true\ncache-dir = "/var/cache/uv"\n'
KEPT_ARCHIVES = 2


@dataclass(frozen=True)
class Recipe:
    """What to build."""

    reference: str
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The reference as a file name."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.reference)

    @property
    def content(self) -> str:
        """The hash of everything that goes in."""
        digest = hashlib.sha256(self.dockerfile.read_bytes())
        digest.update(repr((self.reference, base_content(), sorted(self.arguments.items()))).encode())
        for file in dockerignore.files(self.context):
            body = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
            digest.update(f"{file.relative_to(self.context)} {file.lstat().st_mode:o} {len(body)}\n".encode())
            digest.update(body)
        return digest.hexdigest()[:16]


def base_content() -> str:
    """What the base image is made of."""
    return hashlib.sha256(" ".join((BASE_SUITE, *BASE_PACKAGES)).encode()).hexdigest()[:16]


def build(recipe: Recipe) -> Path:
    """The image's archive, built unless that was done."""
    archive = paths.cache() / "images" / f"{recipe.stem}-{recipe.content}.tar"
    with locked(paths.cache() / "images.lock", "waiting for another image build"):
        if not archive.exists():
            packages.install(packages.IMAGES, "building images")
            _ensure_base()
            _build(recipe, archive)
            _prune(archive.parent, f"{recipe.stem}-*.tar")
    return archive


def _prune(folder: Path, pattern: str) -> None:
    """Old archives of the same image go, or every change of the code would cost its size for ever."""
    newest = sorted(folder.glob(pattern), key=lambda archive: archive.stat().st_mtime, reverse=True)
    for archive in newest[KEPT_ARCHIVES:]:
        archive.unlink()


def _build(recipe: Recipe, archive: Path) -> None:
    started = time.monotonic()
    say(f"building {recipe.reference} from {recipe.dockerfile}")
    arguments = {"BASE": BASE, **recipe.arguments}
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    volumes = [word for volume in (*_volumes(), *recipe.volumes) for word in ("--volume", volume)]
    _buildah(
        "bud", "--layers", "--pull-never", "--network=host", *words, *volumes,
        f"--file={recipe.dockerfile}", f"--tag={recipe.reference}", str(recipe.context),
    )  # fmt: skip
    _push(recipe.reference, archive)
    say(f"  built in {time.monotonic() - started:.1f} s: {archive} ({archive.stat().st_size >> 20} MiB)")


def _push(reference: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    # Not an OCI archive: buildah would compress it, which takes three times as long as all the rest.
    _buildah("push", reference, f"docker-archive:{partial}:{reference}")
    partial.replace(archive)


def _volumes() -> list[str]:
    """The host's certificate authorities, and caches that outlive the build."""
    folder = paths.cache() / "build"
    write_text(folder / "pip.conf", PIP_CONFIG)
    write_text(folder / "uv.toml", UV_CONFIG)
    caches = {"pip": folder / "pip", "uv": paths.cache() / "uv"}
    for cache in caches.values():
        cache.mkdir(parents=True, exist_ok=True)
    return [
        "/etc/ssl/certs:/etc/ssl/certs:ro",
        f"{folder}/pip.conf:/etc/pip.conf:ro",
        f"{folder}/uv.toml:/etc/uv/uv.toml:ro",
        *(f"{cache}:/var/cache/{name}" for name, cache in caches.items()),
    ]


def _buildah(*words: str) -> str:
    storage = ["--root", str(paths.cache() / "build" / "storage"), "--runroot", str(paths.runtime() / "buildah")]
    environment = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}
    return run(["unshare", "--mount", "buildah", *storage, *words], env=environment)


def _ensure_base() -> None:
    """The base image: Debian's smallest system with Python."""
    tag = f"{BASE}-{base_content()}"
    if _buildah("images", "--quiet", "--filter", f"reference={tag}").strip():
        return
    root = paths.cache() / "build" / f"base-{base_content()}"
    if not (root / "base.tar").exists():
        _bootstrap(root / "base.tar")
    write_text(root / "Dockerfile", BASE_DOCKERFILE)
    say(f"making {BASE} of it")
    _buildah("bud", "--network=host", f"--tag={BASE}", f"--tag={tag}", str(root))


def _bootstrap(tar: Path) -> None:
    started = time.monotonic()
    say(f"making the base file system: Debian {BASE_SUITE} with {', '.join(BASE_PACKAGES)} (about a minute)")
    tar.parent.mkdir(parents=True, exist_ok=True)
    partial = tar.with_name("partial.tar")
    run(["mmdebstrap", "--variant=minbase", f"--include={','.join(BASE_PACKAGES)}", BASE_SUITE, partial])
    partial.replace(tar)
    say(f"  made in {time.monotonic() - started:.0f} s")
