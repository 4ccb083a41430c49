"""What curation leaves in a real MLflow server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from mlflow.tracking import MlflowClient

from feedbackloop.api.jobs import MlflowRef
from feedbackloop.jobs.curate import tracking
from feedbackloop.jobs.curate.files import bundle
from feedbackloop.jobs.errors import StorageUnavailable
from tests.support.mlflow_server import mlflow_server
from tests.unit.jobs.curate.world import Log

LOG = Log()
LOG.correct("xylophone", "yes", ["ann", "ben", "cy"])
LOG.like("zither", "no", ["ann", "ben"])
DATA = LOG.curate()
DIGEST = bundle(DATA).digest


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture
def ref(uri: str, request: pytest.FixtureRequest) -> MlflowRef:
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment(request.node.name))
    return MlflowRef(tracking_uri=uri, run_id=run.info.run_id)


def test_a_run_shows_its_data_set_by_digest_with_counts_and_pictures(ref: MlflowRef) -> None:
    tracking.log_data_set(ref, "support-bot-1", DIGEST, DATA)
    tracking.log_data_set(ref, "support-bot-1", DIGEST, DATA)
    client = MlflowClient(ref.tracking_uri)
    run = client.get_run(ref.run_id)
    (shown,) = run.inputs.dataset_inputs
    assert DIGEST.removeprefix("sha256:").startswith(shown.dataset.digest)
    assert run.data.params["dataset_digest"] == DIGEST
    assert run.data.metrics["curate.funnel.events"] == 5
    assert [a.path for a in client.list_artifacts(ref.run_id, "curate")] == ["curate/card.json", "curate/funnel.svg"]
    logged = json.dumps([run.to_dictionary(), shown.dataset.source, shown.dataset.profile])
    assert "xylophone" not in logged
    assert "zither" not in logged


def test_a_run_that_is_gone_does_not_stop_the_data_set(ref: MlflowRef, caplog: pytest.LogCaptureFixture) -> None:
    MlflowClient(ref.tracking_uri).delete_run(ref.run_id)
    tracking.log_data_set(ref, "support-bot-1", DIGEST, DATA)
    assert "takes no data set" in caplog.text


def test_a_server_that_is_away_makes_the_job_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ref = MlflowRef(tracking_uri=f"http://127.0.0.1:{closed.getsockname()[1]}", run_id="0" * 32)
        with pytest.raises(StorageUnavailable, match="MLflow"):
            tracking.log_data_set(ref, "support-bot-1", DIGEST, DATA)
