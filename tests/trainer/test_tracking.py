"""What training and evaluation leave in a real MLflow server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import MlflowRef
from feedbackloop.jobs.errors import StorageUnavailable
from feedbackloop.jobs.tracker import Measure, Tracker
from tests.support.mlflow_server import mlflow_server
from tests.trainer import rows
from tests.trainer.pod import Pod, wait

pytestmark = [pytest.mark.trainer, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture
def ref(uri: str, request: pytest.FixtureRequest) -> MlflowRef:
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment(request.node.name))
    return MlflowRef(tracking_uri=uri, run_id=run.info.run_id)


def artefact_text(ref: MlflowRef, path: str, into: Path) -> str:
    return Path(MlflowClient(ref.tracking_uri).download_artifacts(ref.run_id, path, str(into))).read_text()


def test_a_run_shows_one_curve_however_often_its_training_was_killed(
    pod: Pod, base: Path, ref: MlflowRef, tmp_path: Path
) -> None:
    data_set, champion = pod.put_data_set(rows.corrections(4) + rows.replayed(24), rows.regressions(2)), pod.push(base)
    mlflow: dict[str, Any] = {"mlflow": ref.to_wire()}
    train = pod.train_spec(champion, data_set) | mlflow
    process = pod.start(train)
    wait(lambda: pod.step() >= 15, process)
    process.kill()
    process.wait()
    assert pod.run(train, 2) == 0, pod.log
    client = MlflowClient(ref.tracking_uri)
    curve = client.get_metric_history(ref.run_id, "train.loss")
    assert sorted(point.step for point in curve) == list(range(1, 41))
    assert client.get_run(ref.run_id).data.params["train.dataset_digest"] == data_set

    candidate = Model.model_validate(pod.json(train)["model"])
    evaluate = pod.evaluate_spec(champion, candidate, data_set, pod.put_golden(rows.golden_set())) | mlflow
    assert pod.run(evaluate) == 0, pod.log
    table = json.loads(artefact_text(ref, "evaluate/gates.json", tmp_path))
    assert table["columns"][:3] == ["name", "verdict", "n"]
    assert [row[0] for row in table["data"]] == ["target", "golden"]
    page = artefact_text(ref, "evaluate/gates.html", tmp_path)
    assert "<svg" in page and "window is" not in page
    assert client.get_run(ref.run_id).data.metrics["evaluate.golden.champion"] == pytest.approx(0.75)


def test_the_same_measure_twice_is_there_once(ref: MlflowRef) -> None:
    for _ in range(2):
        Tracker(ref).measures([Measure("train.loss", 1.5, 1_000, 3)])
    assert len(MlflowClient(ref.tracking_uri).get_metric_history(ref.run_id, "train.loss")) == 1


def test_a_run_that_was_deleted_does_not_stop_the_work(ref: MlflowRef, caplog: pytest.LogCaptureFixture) -> None:
    MlflowClient(ref.tracking_uri).delete_run(ref.run_id)
    Tracker(ref).measures([Measure("train.loss", 1.5, 1_000, 3)])
    assert "takes no more" in caplog.text


def test_a_server_that_is_away_makes_the_work_wait() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ref = MlflowRef(tracking_uri=f"http://127.0.0.1:{closed.getsockname()[1]}", run_id="0" * 32)
        with pytest.raises(StorageUnavailable, match="MLflow"):
            Tracker(ref).text("a.txt", "a")


def test_without_mlflow_nothing_is_logged_and_nothing_fails() -> None:
    Tracker(None).text("a.txt", "a")
