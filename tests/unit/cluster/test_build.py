"""Building: when to, and what to say meanwhile."""

from pathlib import Path

from tests.cluster import build


def test_the_hash_follows_content_and_names(tmp_path: Path) -> None:
    first, second = tmp_path / "a.go", tmp_path / "b.go"
    first.write_text("package a")
    second.write_text("package a")
    hashes = {build.content_hash([file], tmp_path) for file in (first, second)}
    second.write_text("package b")
    hashes.add(build.content_hash([second], tmp_path))
    assert len(hashes) == 3


def test_the_sources_are_the_module_and_its_code() -> None:
    names = [file.name for file in build.sources()]
    assert {"go.mod", "go.sum", "main.go"} <= set(names)


def test_the_version_is_that_of_the_module() -> None:
    assert build.kubernetes_version((build.SOURCE / "go.mod").read_text()).startswith("v1.36.")


def test_the_version_reaches_server_and_client() -> None:
    flags = build.linker_flags("v1.36.3")
    assert "component-base/version.gitVersion=v1.36.3" in flags
    assert "component-base/version.gitMinor=36" in flags
    assert "client-go/pkg/version.gitVersion=v1.36.3" in flags


def test_progress_counts_packages_and_not_downloads() -> None:
    output = "go: downloading k8s.io/api v0.36.3\nk8s.io/api/core/v1\nk8s.io/client-go/rest\n"
    assert "2 packages compiled, of 3000" in build.progress(output, 3000)
    assert "client-go/rest" in build.progress(output, 3000)
    assert "Go's cache" in build.progress("", 3000)
