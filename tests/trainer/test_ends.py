"""Every class of end of a training and an evaluation, by its exit code."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from feedbackloop.api.feedbackloop import Model
from tests.trainer import rows
from tests.trainer.pod import Pod

pytestmark = pytest.mark.trainer
SECRET = "xylophone"


def test_rows_that_are_no_rows_are_an_invalid_data_set_and_never_quoted(pod: Pod, base: Path) -> None:
    spec = pod.train_spec(pod.push(base), pod.put_data_set([{"prompt": SECRET}]))
    assert pod.run(spec) == 11
    assert "line 1" in pod.log and SECRET not in pod.log


def test_a_data_set_that_is_not_there_is_an_invalid_one(pod: Pod, base: Path) -> None:
    assert pod.run(pod.train_spec(pod.push(base), "sha256:" + "0" * 64)) == 11


def test_rows_that_are_all_too_long_are_an_invalid_data_set(pod: Pod, base: Path) -> None:
    spec = pod.train_spec(pod.push(base), pod.put_data_set([rows.row("long " * 200, "x")]), maxLength=16)
    assert pod.run(spec) == 11
    assert "maxLength is 16" in pod.log and "long long" not in pod.log


def test_a_base_of_another_digest_is_unavailable(pod: Pod, base: Path) -> None:
    pushed = pod.push(base)
    other = Model(uri=pushed.uri, digest="sha256:" + "0" * 64)
    assert pod.run(pod.train_spec(other, pod.put_data_set(rows.replayed(4)))) == 15


def test_a_base_that_no_library_can_load_is_unavailable(pod: Pod, base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"junk")
    assert pod.run(pod.train_spec(pod.push(tmp_path / "broken"), pod.put_data_set(rows.replayed(4)))) == 15


def test_storage_that_is_away_is_told_apart(pod: Pod, base: Path) -> None:
    spec = pod.train_spec(pod.push(base), pod.put_data_set(rows.replayed(4)))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = {**spec["storage"], "url": f"http://127.0.0.1:{closed.getsockname()[1]}"}
        assert pod.run({**spec, "storage": away}) == 14


def test_a_loss_that_explodes_is_a_divergence(pod: Pod, base: Path) -> None:
    spec = pod.train_spec(pod.push(base), pod.put_data_set(rows.corrections(4)), learningRate="100")
    assert pod.run(spec) == 12
    assert pod.json(spec) is None


def test_halved_micro_batches_train_the_same(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set(rows.corrections(4) + rows.replayed(24))
    whole, halved = (pod.train_spec(model, data_set, run=name * 12, maxSteps=12) for name in "ab")
    assert pod.run(whole) == 0, pod.log
    assert pod.run(halved, FL_HALVINGS="2") == 0, pod.log
    assert pod.json(halved)["finalLoss"] == pytest.approx(pod.json(whole)["finalLoss"], rel=1e-3)


def test_an_evaluation_against_another_golden_file_is_refused(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set([], rows.regressions(1))
    pod.put_golden(rows.golden_set())
    assert pod.run(pod.evaluate_spec(model, model, data_set, "sha256:" + "0" * 64)) == 11
    assert "golden-v1.jsonl: its digest is" in pod.log


def test_a_model_evaluated_against_itself_changes_nothing(pod: Pod, base: Path) -> None:
    model, data_set = pod.push(base), pod.put_data_set([], rows.regressions(1))
    spec = pod.evaluate_spec(model, model, data_set, pod.put_golden(rows.golden_set()))
    assert pod.run(spec) == 0, pod.log
    for gate in pod.json(spec)["gates"]:
        assert gate["onlyChampion"] == gate["onlyCandidate"] == 0
    assert "window is" not in pod.log


@pytest.mark.parametrize("broken", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_candidate_that_cannot_be_read_is_unavailable(pod: Pod, base: Path, tmp_path: Path, broken: str) -> None:
    shutil.copytree(base, tmp_path / "broken")
    (tmp_path / "broken" / broken).write_bytes(b"junk")
    data_set, golden = pod.put_data_set([], rows.regressions(1)), pod.put_golden(rows.golden_set())
    assert pod.run(pod.evaluate_spec(pod.push(base), pod.push(tmp_path / "broken"), data_set, golden)) == 15, pod.log
