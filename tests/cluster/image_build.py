"""Building images from ordinary Dockerfiles, over a base file system made from Debian's packages.

An image is known by the hash of everything that goes in: an unchanged one is not built again.
The builds run in a mount namespace that ends with them, so that the builder leaves no mount behind.
"""

import fnmatch
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import packages, paths
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
PIP_CONFIG = f"[global]\ncert = {CERTIFICATES}\n"
UV_CONFIG = "native-tls = true\n"
NEVER_SENT = ("__pycache__", "*.pyc", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache")


@dataclass(frozen=True)
class Recipe:
    """What to build."""

    reference: str
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """The hash of everything that goes in."""
        digest = hashlib.sha256(self.dockerfile.read_bytes())
        digest.update(repr((self.reference, base_content(), sorted(self.arguments.items()))).encode())
        for file in context_files(self.context):
            body = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
            digest.update(f"{file.relative_to(self.context)} {file.lstat().st_mode:o} {len(body)}\n".encode())
            digest.update(body)
        return digest.hexdigest()[:16]


def context_files(context: Path) -> Iterator[Path]:
    """The files of the context, in a fixed order, without the litter that Python and its tools leave."""
    for folder, inner, files in os.walk(context):
        inner[:] = sorted(name for name in inner if not _is_litter(name))
        yield from (Path(folder) / name for name in sorted(files) if not _is_litter(name))


def _is_litter(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in NEVER_SENT)


def base_content() -> str:
    """What the base image is made of."""
    return hashlib.sha256(" ".join((BASE_SUITE, *BASE_PACKAGES)).encode()).hexdigest()[:16]


def build(recipe: Recipe) -> Path:
    """The image's archive, built unless that was done."""
    archive = paths.cache() / "images" / f"{recipe.content}.tar"
    with locked(paths.cache() / "images.lock", "waiting for another image build"):
        if not archive.exists():
            packages.install(packages.IMAGES, "building images")
            _ensure_base()
            _build(recipe, archive)
    return archive


def _build(recipe: Recipe, archive: Path) -> None:
    started = time.monotonic()
    say(f"building {recipe.reference} from {recipe.dockerfile}")
    arguments = {"BASE": BASE, **recipe.arguments}
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    volumes = [word for volume in (*_volumes(), *recipe.volumes) for word in ("--volume", volume)]
    ignore = _ignore_file()
    _buildah(
        "bud", "--pull-never", "--network=host", f"--ignorefile={ignore}", *words, *volumes,
        f"--file={recipe.dockerfile}", f"--tag={recipe.reference}", str(recipe.context),
    )  # fmt: skip
    _push(recipe.reference, archive)
    say(f"  built in {time.monotonic() - started:.1f} s: {archive} ({archive.stat().st_size >> 20} MiB)")


def _push(reference: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    _buildah("push", "--disable-compression", reference, f"oci-archive:{partial}:{reference}")
    partial.replace(archive)


def _ignore_file() -> Path:
    file = paths.cache() / "build" / "dockerignore"
    write_text(file, "".join(f"**/{pattern}\n" for pattern in NEVER_SENT))
    return file


def _volumes() -> list[str]:
    """The host's certificate authorities, and caches that outlive the build."""
    folder = paths.cache() / "build"
    write_text(folder / "pip.conf", PIP_CONFIG)
    write_text(folder / "uv.toml", UV_CONFIG)
    for name in ("pip", "uv"):
        (folder / "cache" / name).mkdir(parents=True, exist_ok=True)
    return [
        "/etc/ssl/certs:/etc/ssl/certs:ro",
        f"{folder}/pip.conf:/etc/pip.conf:ro",
        f"{folder}/uv.toml:/etc/uv/uv.toml:ro",
        f"{folder}/cache/pip:/root/.cache/pip",
        f"{folder}/cache/uv:/root/.cache/uv",
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
