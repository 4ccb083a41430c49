"""`feedbackloop explain gate` on a copy of a run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.cli.main import main
from feedbackloop.cli.view.gate import gate_lines
from feedbackloop.cli.view.text import Style
from feedbackloop.domain.gates.recomputing import recompute
from tests.unit.cli.gated import Gated, gated
from tests.unit.domain.gates.given import evidence, gate, numbers, pairs

PLAIN = Style(100, unicode=False)


@pytest.fixture(scope="module")
def run() -> Gated:
    return gated()


@pytest.fixture
def folder(run: Gated, tmp_path: Path) -> Path:
    run.write(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(run.run))
    return tmp_path


def explained(run: Gated, folder: Path, *more: str) -> int:
    return main(["explain", "gate", run.name, "--offline", str(folder), *more])


def test_every_verdict_follows_from_its_rows(run: Gated, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(run, folder) == 0
    said = capsys.readouterr().out
    names = [g["name"] for g in run.run["status"]["gates"]]
    assert all(name in said for name in names)
    assert f"{len(names)} of {len(names)} verdicts follow from their rows" in said
    assert said.count("the run's status has this very verdict") == len(names)
    assert "lost" in said and "q170" in said


def test_a_copy_without_the_run_still_says_whether_the_documents_hold(
    run: Gated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.write(tmp_path / "runs" / run.run_id)
    assert main(["explain", "gate", run.run_id, "--offline", str(tmp_path), "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [g["agrees"] for g in said["gates"]] == [True] * len(said["gates"])


def _change(folder: Path, name: str, change: Any) -> None:
    path = folder / "gates" / f"{name}.json"
    wire = json.loads(path.read_bytes())
    change(wire)
    path.write_text(json.dumps(wire, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def test_a_changed_row_a_changed_verdict_and_a_missing_document_are_found(
    run: Gated, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = run.run["status"]["gates"][0]["name"]
    _change(folder, name, lambda wire: wire["items"][0].update(candidate=False))
    assert explained(run, folder, "--gate", name) == 1
    said = capsys.readouterr().out
    assert "not so: counts and verdict follow from the rows, byte for byte" in said
    assert "not so: result.json names this document's digest" in said
    (folder / "gates" / f"{name}.json").unlink()
    assert explained(run, folder) == 1
    assert f"gates/{name}.json is not there" in capsys.readouterr().out


def test_a_verdict_in_status_that_does_not_follow_is_found(
    run: Gated, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.loads((folder / "run.json").read_text())
    body["status"]["gates"][0]["pValue"] = "0.2"
    (folder / "run.json").write_text(json.dumps(body))
    assert explained(run, folder) == 1
    assert "not so: the run's status has this very verdict" in capsys.readouterr().out


def test_another_result_than_the_run_names_is_found(
    run: Gated, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = json.loads((folder / "result.json").read_bytes())
    (folder / "result.json").write_text(json.dumps({**result, "wallSeconds": 9}))
    assert explained(run, folder) == 1
    assert "not so: result.json is the one that the run's status names" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--offline", "."], "there is no folder gates/"),
        ([], "give --endpoint-url"),
    ],
)
def test_what_cannot_be_read_says_what_to_give(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "gate", "r", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_gate_names_those_that_are_there(
    run: Gated, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(run, folder, "--gate", "nothing") == 2
    assert "there is no gate nothing; known are" in capsys.readouterr().err


def test_an_interval_is_drawn_beside_its_bound() -> None:
    made = evidence(gate("NonInferiority", "0.05", name="kept"), pairs(both=170, losses=4, gains=6))
    lines = gate_lines(recompute("kept", made.document()), PLAIN)
    drawn = next(line for line in lines if "===" in line)
    assert drawn.index("!") < drawn.index("=") < drawn.index("|") < drawn.rindex("=")
    assert any("bound -5 % at !" in line for line in lines)
    assert any("with about 223 items" in line for line in lines)


def test_numbers_are_shown_in_their_unit_and_errors_say_why() -> None:
    made = evidence(
        gate("Bootstrap", "2", name="short", metric="output_tokens"), numbers([(9.0, 10.5), (9.0, 8.0)] * 40)
    )
    assert any("bound 2 at !" in line for line in gate_lines(recompute("short", made.document()), PLAIN))
    empty = evidence(gate("Superiority", name="none"), [])
    assert any("no items were compared" in line for line in gate_lines(recompute("none", empty.document()), PLAIN))
