from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.cli.main import main
from feedbackloop.domain.replay import tape
from tests.unit.domain.replay.recorded import RecordedWorld


@pytest.fixture(scope="module")
def world() -> RecordedWorld:
    one = RecordedWorld(seed=3, sessions_per_second=6.0, tick_seconds=4.0, restart_every=9)
    one.run_until_end()
    return one


@pytest.fixture
def folder(world: RecordedWorld, tmp_path: Path) -> Path:
    run = world.run.model_copy(update={"decisions": tuple(world.records)})
    body = {"metadata": {"name": "bot-finetune-1", "uid": "u1"}, "status": run.to_wire()}
    (tmp_path / "run.json").write_text(json.dumps(body))
    (tmp_path / "frames.jsonl").write_text("\n".join(world.lines))
    return tmp_path


def test_an_identical_replay(world: RecordedWorld, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--offline", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith(
        f"identical: {len(world.lines)} decisions came out as they were recorded, byte for byte"
    )
    assert all(record.what in out for record in world.records)
    assert "the operator began anew" in out


def test_a_difference_is_named_and_the_exit_code_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = json.loads((folder / "run.json").read_text())
    run["status"]["rollout"]["weight"] = 99
    (folder / "run.json").write_text(json.dumps(run))
    assert main(["replay", "--offline", str(folder), "--output", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["identical"]
    assert "weight was absent and is 99" in found["difference"]["what"]


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--offline", str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err
    assert main(["replay"]) == 2
    assert "name the run" in capsys.readouterr().err


def test_from_the_cluster_and_saved(
    world: RecordedWorld, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: dict[str, Any] = json.loads((folder / "run.json").read_text())
    part = tape.Part()
    parts = []
    for line in world.lines:
        following = part.plus(line)
        parts += [part] if following.number != part.number else []
        part = following
    bodies = [tape.config_map(p, namespace="ml", run="bot-finetune-1", uid="u1") for p in [*parts, part]]
    monkeypatch.setattr("feedbackloop.cli.kubectl.get", lambda kind, name, namespace: run)
    monkeypatch.setattr("feedbackloop.cli.kubectl.run", lambda *a, **k: json.dumps({"items": bodies}))
    saved = tmp_path / "saved"
    assert main(["replay", "bot-finetune-1", "--save", str(saved)]) == 0
    assert main(["replay", "--offline", str(saved)]) == 0
