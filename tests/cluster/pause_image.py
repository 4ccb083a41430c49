"""The sandbox image: one static binary, packed by hand, so that a node needs no image builder to start."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path


def write(binary: Path, reference: str, archive: Path) -> None:
    """Write the archive that `ctr images import` takes."""
    layer = _tar({"pause": binary.read_bytes()}, mode=0o755)
    config = _config(layer)
    index = json.dumps([{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar.gz"]}])
    content = {"config.json": config, "layer.tar.gz": gzip.compress(layer, mtime=0), "manifest.json": index.encode()}
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_tar(content, mode=0o644))


def _config(layer: bytes) -> bytes:
    content = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    return json.dumps(content).encode()


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
