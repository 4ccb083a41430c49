import json
from pathlib import Path

import pytest

from feedbackloop.api.feedbackloop import Model
from feedbackloop.jobs import artefact, canonical
from feedbackloop.jobs.artefact import ArtefactError
from tests.unit.jobs.memory import MemoryS3


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    home = tmp_path / "model"
    home.mkdir()
    (home / "config.json").write_text("{}")
    (home / "model.safetensors").write_bytes(b"weights")
    (home / "chat_template.jinja").write_text("{{ messages }}")
    return home


def test_the_digest_is_that_of_the_canonical_manifest(directory: Path) -> None:
    model = artefact.push(MemoryS3().store(), "bot", directory)
    entries = [
        {"path": path, "sha256": canonical.sha256((directory / path).read_bytes()), "size": size}
        for path, size in (("chat_template.jinja", 14), ("config.json", 2), ("model.safetensors", 7))
    ]
    assert model.digest == canonical.digest(json.dumps(entries, separators=(",", ":"), sort_keys=True).encode())
    assert model.uri == f"s3://models/bot/{model.digest.removeprefix('sha256:')}/"


def test_the_manifest_is_written_last(directory: Path) -> None:
    s3 = MemoryS3()
    artefact.push(s3.store(), "bot", directory)
    assert [key.rsplit("/", 1)[1] for key in s3.written].index("manifest.json") == len(s3.written) - 1


def test_a_second_push_writes_nothing(directory: Path) -> None:
    s3 = MemoryS3()
    first = artefact.push(s3.store(), "bot", directory)
    written = list(s3.written)
    assert artefact.push(s3.store(), "bot", directory) == first
    assert s3.written == written


def test_a_push_that_was_cut_off_is_completed(directory: Path) -> None:
    s3 = MemoryS3()
    model = artefact.push(s3.store(), "bot", directory)
    key = f"{model.uri.removeprefix('s3://models/')}manifest.json"
    del s3.objects[key]
    assert artefact.push(s3.store(), "bot", directory) == model
    assert key in s3.objects


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "optimizer.pkl", "modeling.py", "weights.ckpt"])
def test_files_that_can_run_code_are_refused(directory: Path, name: str) -> None:
    (directory / name).write_bytes(b"")
    with pytest.raises(ArtefactError, match="only safetensors and text"):
        artefact.push(MemoryS3().store(), "bot", directory)


def test_a_directory_without_weights_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ArtefactError, match="not a model directory"):
        artefact.push(MemoryS3().store(), "bot", tmp_path)


def test_what_was_pushed_is_fetched_to_the_byte(directory: Path, tmp_path: Path) -> None:
    s3 = MemoryS3()
    model = artefact.push(s3.store(), "bot", directory)
    artefact.fetch(s3.store(), model, tmp_path / "got")
    assert artefact.describe(tmp_path / "got") == artefact.describe(directory)


def test_a_fetch_again_downloads_only_what_is_not_right(directory: Path, tmp_path: Path) -> None:
    s3, got = MemoryS3(), tmp_path / "got"
    model = artefact.push(s3.store(), "bot", directory)
    artefact.fetch(s3.store(), model, got)
    (got / "config.json").write_text("{ ")
    del s3.objects[f"{model.uri.removeprefix('s3://models/')}model.safetensors"]
    artefact.fetch(s3.store(), model, got)
    assert (got / "config.json").read_text() == "{}"


def test_a_manifest_of_another_digest_is_refused(directory: Path, tmp_path: Path) -> None:
    s3 = MemoryS3()
    model = artefact.push(s3.store(), "bot", directory)
    other = Model(uri=model.uri, digest="sha256:" + "0" * 64)
    with pytest.raises(ArtefactError, match="wanted is sha256:000"):
        artefact.fetch(s3.store(), other, tmp_path / "got")


def test_an_altered_file_is_refused_and_not_kept(directory: Path, tmp_path: Path) -> None:
    s3 = MemoryS3()
    model = artefact.push(s3.store(), "bot", directory)
    s3.objects[f"{model.uri.removeprefix('s3://models/')}model.safetensors"] = b"WEIGHTS"
    with pytest.raises(ArtefactError, match=r"model\.safetensors: its bytes"):
        artefact.fetch(s3.store(), model, tmp_path / "got")
    assert not list((tmp_path / "got").glob("model.safetensors*"))


@pytest.mark.parametrize("path", ["../evil.json", "/etc/passwd.json", "a/../../b.json", ".ssh/x.json", "a\\b.json", ""])
def test_no_path_of_a_manifest_leads_out_of_the_directory(path: str) -> None:
    entries = [{"path": path, "sha256": "0" * 64, "size": 1}, {"path": "config.json", "sha256": "0" * 64, "size": 1}]
    with pytest.raises(ArtefactError, match="paths are relative"):
        artefact.decode(canonical.encode(entries))


def test_a_manifest_of_too_many_bytes_is_refused() -> None:
    names = ("config.json", "model.safetensors")
    entries = [{"path": name, "sha256": "0" * 64, "size": artefact.MAX_BYTES} for name in names]
    with pytest.raises(ArtefactError, match="more than"):
        artefact.decode(canonical.encode(entries))


@pytest.mark.parametrize("data", [b"", b"[1]", b'{"a":1}', b'[{"path":"config.json"}]'])
def test_a_manifest_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ArtefactError):
        artefact.decode(data)
