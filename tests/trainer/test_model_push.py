"""The command that pushes a model, and the init container that fetches it, against a real S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.seaweedfs import SeaweedFs
from tests.trainer.pod import ROOT


def feedbackloop(s3: SeaweedFs, module: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    credentials = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    environment = os.environ | {"PYTHONPATH": str(ROOT / "operator")} | credentials | more
    command = [sys.executable, "-m", f"feedbackloop.{module}", *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=120, check=False)


def push(s3: SeaweedFs, directory: Path) -> subprocess.CompletedProcess[str]:
    where = ("--endpoint-url", s3.url, "--bucket", "models", "--name", "bot", "--output", "json")
    return feedbackloop(s3, "cli.main", "model", "push", str(directory), *where)


def fetch(s3: SeaweedFs, model: dict[str, str], into: Path, **more: str) -> subprocess.CompletedProcess[str]:
    pod = {
        "MODEL_URI": model["uri"],
        "MODEL_DIGEST": model["digest"],
        "MODEL_ENDPOINT_URL": s3.url,
        "MODEL_DIRECTORY": str(into),
    }
    return feedbackloop(s3, "jobs.fetch", **(pod | more))


def directory(home: Path) -> Path:
    home.mkdir()
    (home / "config.json").write_text("{}")
    (home / "model.safetensors").write_bytes(os.urandom(100_000))
    return home


def test_what_is_pushed_is_what_a_pod_gets(s3: SeaweedFs, tmp_path: Path) -> None:
    made = directory(tmp_path / "model")
    pushed = push(s3, made)
    assert pushed.returncode == 0, pushed.stderr
    assert push(s3, made).stdout == pushed.stdout
    fetched = fetch(s3, json.loads(pushed.stdout), tmp_path / "got")
    assert fetched.returncode == 0, fetched.stderr
    assert (tmp_path / "got" / "model.safetensors").read_bytes() == (made / "model.safetensors").read_bytes()


def test_a_pod_never_starts_with_another_model(s3: SeaweedFs, tmp_path: Path) -> None:
    model = json.loads(push(s3, directory(tmp_path / "model")).stdout)
    other = {**model, "digest": "sha256:" + "0" * 64}
    fetched = fetch(s3, other, tmp_path / "got")
    assert fetched.returncode == 15
    assert "wanted is sha256:000" in fetched.stderr
    assert not (tmp_path / "got").exists()


def test_a_directory_with_a_pickle_is_refused_with_the_reason(s3: SeaweedFs, tmp_path: Path) -> None:
    made = directory(tmp_path / "model")
    (made / "pytorch_model.bin").write_bytes(b"")
    refused = push(s3, made)
    assert refused.returncode == 1
    assert "pytorch_model.bin: only safetensors" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_pod_waits_for_storage_and_says_so(s3: SeaweedFs, tmp_path: Path) -> None:
    model = json.loads(push(s3, directory(tmp_path / "model")).stdout)
    fetched = fetch(s3, model, tmp_path / "got", MODEL_ENDPOINT_URL="http://127.0.0.1:9", MODEL_PATIENCE_SECONDS="1")
    assert fetched.returncode == 14
    assert "again in" in fetched.stderr
