"""The data set in MLflow: digest, counts, funnel and card in the run that the operator opened.

MLflow is a projection and never decides about a data set. When it does not answer, the data set is
stored already and the job ends as one that waits (exit 14): its next attempt finds the files and
logs again. When it answers that it will not (the run was deleted, say), that is logged and all goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from feedbackloop.api.jobs import MlflowRef
from feedbackloop.jobs import canonical, datasets
from feedbackloop.jobs.curate import picture
from feedbackloop.jobs.curate.dataset import DataSet
from feedbackloop.jobs.curate.files import card
from feedbackloop.jobs.tracker import answering

SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
DIGEST_CHARS = 36
"""The longest digest that MLflow keeps of an input; the whole one is a parameter."""


def log_data_set(ref: MlflowRef, run_name: str, digest: str, data: DataSet) -> None:
    with answering(ref, "data set", SETTINGS):
        _log(ref, run_name, digest, data)


def _log(ref: MlflowRef, run_name: str, digest: str, data: DataSet) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
    from mlflow.tracking import MlflowClient

    client, now = MlflowClient(tracking_uri=ref.tracking_uri), int(time.time() * 1000)
    made = Dataset(
        name=run_name,
        digest=canonical.hex_of(digest)[:DIGEST_CHARS],
        source_type="feedbackloop",
        source=canonical.encode({"path": datasets.prefix(digest)}).decode(),
        profile=canonical.encode(data.counts()).decode(),
    )
    client.log_inputs(ref.run_id, datasets=[DatasetInput(made, [InputTag("mlflow.data.context", "training")])])
    client.log_batch(
        ref.run_id,
        metrics=[Metric(name, value, now, 0) for name, value in metrics(data)],
        params=[Param(name, value) for name, value in parameters(digest, data).items()],
    )
    client.log_text(ref.run_id, canonical.encode(card(data)).decode(), "curate/card.json")
    drawn = picture.funnel(data.funnel, data.reasons(), "Feedback events, from stored to used")
    client.log_text(ref.run_id, drawn, "curate/funnel.svg")


def metrics(data: DataSet) -> Iterator[tuple[str, float]]:
    groups: dict[str, Mapping[str, Any]] = {
        "": data.counts(),
        "funnel.": data.funnel,
        "excluded.": data.reasons(),
        "computed.": data.computed.counts(),
    }
    for group, values in groups.items():
        yield from ((f"curate.{group}{name}", float(value)) for name, value in values.items())
    if data.raters.agreement is not None:
        yield "curate.agreement", data.raters.agreement
    if data.computed.distances.mean is not None:
        yield "curate.correction_distance", data.computed.distances.mean


def parameters(digest: str, data: DataSet) -> dict[str, str]:
    config = data.config
    return {
        "dataset_digest": digest,
        "curate.config_digest": config.digest(),
        "curate.replay_ratio": str(config.replay_ratio),
        "curate.min_corroboration": str(config.min_corroboration),
        "curate.seed": str(config.seed),
    }
