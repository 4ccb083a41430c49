"""`feedbackloop import` against a server that answers by a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbackloop.cli.main import main
from tests.unit.client import server
from tests.unit.client.server import Script, scripted
from tests.unit.importers.declared import DOCUMENT, SAMPLES


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr(server, "SIGNALS", DOCUMENT)
    with scripted() as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text("t\n")
    return str(path)


def test_an_export_is_sent_and_what_was_not_is_listed(
    script: Script, token_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--gateway", script.url, "--token-file", token_file]
    code = main(["import", "open-webui", str(SAMPLES / "open-webui.json"), *where, "--consent", "train"])
    out = capsys.readouterr().out
    assert code == 1
    assert out.startswith("imported 4 interactions, 8 events; 0 were there already\n4 not imported:\n")
    assert "f-5: it has no id, or no meta.message_id" in out
    assert [path for path, _, _ in script.asked] == ["/v1/interactions"] * 4 + ["/v1/feedback"]
    assert {headers["X-Feedback-Channel"] for _, headers, _ in script.asked} == {"import"}
    assert all(event["consent"] == {"train": True} for event in script.asked[-1][2]["events"])


def test_a_dry_run_sends_nothing(script: Script, token_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--gateway", script.url, "--token-file", token_file]
    files = [str(SAMPLES / "langfuse-scores.json"), "--traces", str(SAMPLES / "langfuse-traces.jsonl")]
    names = ["--signal-map", "user-feedback=helpful,cause=why"]
    assert main(["import", "langfuse", *files, *where, *names, "--dry-run", "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["interactions"], told["events"], told["dryRun"]) == (3, 5, True)
    assert {row["row"] for row in told["skipped"]} == {"sc-4", "sc-5", "sc-6"}
    assert script.asked == []


def test_a_wrong_token_or_file_ends_it_with_a_clear_error(
    script: Script, token_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--gateway", script.url, "--token-file", token_file]
    script.answers = [(401, {})]
    assert main(["import", "mlflow", str(SAMPLES / "mlflow-traces.json"), *where]) == 2
    assert main(["import", "mlflow", str(SAMPLES / "absent.json"), *where]) == 2
    assert main(["import", "mlflow", str(SAMPLES / "mlflow-traces.json")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert "absent.json: No such file" in errors[1]
    assert "--gateway and --token-file" in errors[2]
