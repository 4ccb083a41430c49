"""The curate job with a language model: a process of the `named` environment, offline but for S3."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from feedbackloop.api.jobs import CurateResult, ExitCode
from feedbackloop.jobs import datasets
from tests.jobs.pod import ROOT, Pod, conversation
from tests.support import envs
from tests.support.seaweedfs import SeaweedFs

NAMES = (b"anna", b"schmidt", b"baker street", b"london")


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return envs.ensure("named") / "bin" / "python"
    except SystemExit as failed:
        pytest.skip(f"the environment `named` cannot be built here: {str(failed.code)[-200:]}")


def test_the_curate_job_replaces_names_and_says_by_which_model(
    interpreter: Path, s3: SeaweedFs, tmp_path: Path
) -> None:
    pod = Pod(s3, tmp_path)
    asked = "Please tell Anna Schmidt that the parcel goes to 12 Baker Street in London."
    fix = "Anna Schmidt was told that the parcel goes to 12 Baker Street."
    for number, subject in enumerate(("ann", "ben", "cy")):
        pod.upload(conversation(number, subject, asked, "I cannot do that.", fix))
    pod.write_spec(pod.spec())
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "operator"),
        "FL_SPEC": str(tmp_path / "spec.json"),
        "FL_SECRETS": str(tmp_path / "secrets"),
        "FL_SCRATCH": str(tmp_path),
        "HOME": str(tmp_path),
    }
    command = [str(interpreter), "-m", "feedbackloop.jobs.curate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == ExitCode.OK, done.stderr
    result = CurateResult.model_validate(pod.json("result.json"))
    assert result.named is not None, result
    assert (result.named.engine, result.named.reason) == ("presidio", "")
    assert result.named.model.startswith("en_core_web_sm")
    assert set(result.named.replaced) == {"ADDRESS", "LOCATION", "PERSON"}
    files = datasets.read(pod.vault, result.dataset_digest)
    assert not [path for path, content in files.items() if any(name in content.lower() for name in NAMES)]
    row = json.loads((files["train.jsonl"] or files["regressions.jsonl"]).splitlines()[0])
    assert "<PERSON_1>" in json.dumps(row)


def test_the_engine_asks_nobody(interpreter: Path) -> None:
    script = """
import socket
def refused(*_arguments, **_more):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused
from feedbackloop.api.collection import Named
from feedbackloop.jobs.named.choosing import choose
print(len(choose(Named.BEFORE_TRAINING, {}).find(["Anna Schmidt wrote to anna@example.com"])[0]))
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "operator")}
    done = subprocess.run(
        [str(interpreter), "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
