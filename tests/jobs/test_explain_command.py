"""`feedbackloop explain gate` over a real S3, with the run as the API server has it."""

from __future__ import annotations

import json

import pytest

from feedbackloop.cli import kubectl
from feedbackloop.cli.main import main
from feedbackloop.jobs.modelstore import connect
from tests.support.seaweedfs import SeaweedFs
from tests.unit.cli.gated import Gated, gated


@pytest.fixture
def run(s3: SeaweedFs, monkeypatch: pytest.MonkeyPatch) -> Gated:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
    found = gated()
    monkeypatch.setattr(kubectl, "get", lambda kind, name, namespace: found.run if name == found.name else None)
    store = connect(s3.url, found.bucket).at(f"{found.prefix}runs/{found.run_id}/")
    for path, content in found.files.items():
        store.put(path, content)
    return found


def explained(s3: SeaweedFs, *more: str) -> int:
    return main(["explain", "gate", *more, "--endpoint-url", s3.url])


def test_verdicts_in_the_bucket_agree_until_somebody_changes_them(
    s3: SeaweedFs, run: Gated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(s3, run.name) == 0
    assert "verdicts follow from their rows (s3://" in capsys.readouterr().out
    path = next(path for path in run.files if path.startswith("gates/"))
    changed = run.files[path].replace(b'"candidate":true', b'"candidate":false', 1)
    connect(s3.url, run.bucket).at(f"{run.prefix}runs/{run.run_id}/").put(path, changed)
    assert explained(s3, run.name, "-o", "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert [gate["agrees"] for gate in said["gates"]].count(False) == 1


def test_a_run_that_is_not_there_and_a_bucket_that_does_not_answer(
    s3: SeaweedFs, run: Gated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(s3, "other") == 2
    assert "there is no ImprovementRun other" in capsys.readouterr().err
    assert main(["explain", "gate", run.name, "--endpoint-url", "http://127.0.0.1:1"]) == 2
    assert "list" in capsys.readouterr().err
