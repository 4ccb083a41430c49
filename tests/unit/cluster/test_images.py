"""Images: what goes into one decides whether it is built again."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster import dockerignore, pause_image
from tests.cluster.dockerignore import Rule, is_ignored
from tests.cluster.image_build import Recipe

ALLOW_LIST = [Rule.parse(line) for line in ("*", "!requirements/image.txt", "!operator/feedbackloop", "**/__pycache__")]


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("README.md", True),
        (".venv/bin/python", True),
        ("requirements/image.txt", False),
        ("requirements/dev.txt", True),
        ("operator/feedbackloop/api/__init__.py", False),
        ("operator/feedbackloop/__pycache__/a.pyc", True),
        ("operator/feedbackloop-old/a.py", True),
    ],
)
def test_an_allow_list(path: str, ignored: bool) -> None:
    assert is_ignored(path, ALLOW_LIST) is ignored


def test_folders_that_hold_what_is_allowed_are_entered(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!deep/down/file\n")
    for name in ("deep/down/file", "deep/down/other", "wide/file"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text("")
    assert [str(file.relative_to(context)) for file in dockerignore.files(context)] == ["deep/down/file"]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A context with a Dockerfile and one file."""
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    (tmp_path / "code.py").write_text("1")
    return tmp_path


def recipe(context: Path, **arguments: str) -> Recipe:
    """The recipe of the context."""
    return Recipe("localhost/app:dev", context / "Dockerfile", context, arguments)


def test_the_same_content_is_the_same_image(context: Path) -> None:
    assert recipe(context).content == recipe(context).content


def test_litter_changes_nothing(context: Path) -> None:
    before = recipe(context).content
    (context / "__pycache__").mkdir()
    (context / "__pycache__" / "code.pyc").write_text("")
    assert recipe(context).content == before


def test_code_dockerfile_and_arguments_each_change_it(context: Path) -> None:
    contents = {recipe(context).content, recipe(context, ENVIRONMENT="trainer").content}
    (context / "code.py").write_text("2")
    contents.add(recipe(context).content)
    (context / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nUSER 1\n")
    contents.add(recipe(context).content)
    assert len(contents) == 4


def test_the_reference_becomes_a_file_name(context: Path) -> None:
    assert recipe(context).stem == "localhost-app-dev"


def test_the_sandbox_image_holds_one_binary_that_nobody_owns(tmp_path: Path) -> None:
    (tmp_path / "pause").write_bytes(b"ELF")
    pause_image.write(tmp_path / "pause", "localhost/pause:1", tmp_path / "pause.tar")
    with tarfile.open(tmp_path / "pause.tar") as archive:
        [manifest] = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        config = json.load(archive.extractfile(manifest["Config"]) or io.BytesIO())
        with tarfile.open(fileobj=archive.extractfile(manifest["Layers"][0])) as layer:
            assert [(member.name, member.mode) for member in layer] == [("pause", 0o755)]
    assert manifest["RepoTags"] == ["localhost/pause:1"]
    assert config["config"] == {"Entrypoint": ["/pause"], "User": "65535:65535"}
