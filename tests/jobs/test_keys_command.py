"""`feedbackloop keys …` against real object storage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedbackloop.cli.main import main
from feedbackloop.events.errors import KeyRefused
from feedbackloop.events.keyring.blob import Family
from tests.jobs.pod import BUCKET, Pod, conversation
from tests.support.fake_vault import TOKEN, fake_vault
from tests.support.seaweedfs import SeaweedFs


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    made = Pod(s3, tmp_path)
    made.upload(conversation(1, "ann", "hours?", "9"))
    return made


def run(pod: Pod, *words: str, encryption: dict[str, str] | None = None) -> int:
    config = {
        "loop": {"namespace": "ml", "name": "bot", "uid": pod.uid},
        "storage": pod.s3.store(BUCKET, pod.prefix).to_wire(),
        "collection": {"signals": [{"name": "helpful", "kind": "Thumbs"}], "appTokenSecretName": "app"},
        "routing": {"stable": {"host": "h", "port": 1, "digest": "sha256:" + "a" * 64}},
        "encryption": encryption or {},
    }
    (pod.home / "config.json").write_text(json.dumps(config))
    return main(["keys", *words, "--config", str(pod.home / "config.json"), "--secrets", str(pod.home / "secrets")])


def test_keys_are_listed_and_rotated(pod: Pod, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(pod, "rotate", "outer") == 0
    assert run(pod, "list") == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["outer/1", "outer/2", "inner/1"]
    assert "1 tables of subject keys" in out
    pod.keyring.refresh()
    assert pod.keyring.current == "outer/2"


def test_a_loop_moves_from_a_secret_to_a_key_service(pod: Pod, capsys: pytest.CaptureFixture[str]) -> None:
    """The service is a FAKE of Vault's Transit engine."""
    before = pod.home / "before"
    (pod.home / "secrets" / "kek").rename(before)
    (pod.home / "secrets" / "kek").mkdir()
    with fake_vault() as vault:
        vault.create("loop-key")
        (pod.home / "secrets" / "kek" / "token").write_text(TOKEN)
        service = {"type": "VaultTransit", "url": vault.url, "key": "loop-key"}
        assert run(pod, "list", encryption=service) == 2
        assert "rewrap" in capsys.readouterr().err
        assert run(pod, "rewrap", "--old-kek", str(before), encryption=service) == 0
        assert "2 keys were brought under vault:transit/loop-key" in capsys.readouterr().out
        assert run(pod, "list", encryption=service) == 0
    with pytest.raises(KeyRefused):
        Pod(pod.s3, pod.home, uid=pod.uid).keyring.created(Family.OUTER)


@pytest.mark.parametrize("config", ["absent", "[]", "{"])
def test_what_is_no_configuration_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str) -> None:
    path = tmp_path / "config.json"
    if config != "absent":
        path.write_text(config)
    assert main(["keys", "list", "--config", str(path), "--secrets", str(tmp_path)]) == 2
    assert str(path) in capsys.readouterr().err
