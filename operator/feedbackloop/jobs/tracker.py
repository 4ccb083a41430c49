"""The MLflow run that the operator opened for this ImprovementRun: we log into it, and nothing else.

MLflow is a projection. While it is away its job can only wait (`StorageUnavailable`); when it answers
that it will not (the run was deleted, say), that is a warning and the work goes on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from feedbackloop.api.jobs import MlflowRef
from feedbackloop.jobs.errors import StorageUnavailable

log = logging.getLogger(__name__)
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
REFUSED = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE", "BAD_REQUEST"})
BATCH = 500
"""Fewer than the 1 000 metrics that MLflow takes in one call."""


TABLES = "mlflow.loggedArtifacts"
"""The tag in which MLflow's UI finds a run's tables."""


class Measure(NamedTuple):
    """One value; logged twice with the same four parts, it is there once."""

    name: str
    value: float
    at: int
    """Unix milliseconds."""
    step: int = 0


@contextmanager
def answering(ref: MlflowRef, what: str = "more", settings: Mapping[str, str] = SETTINGS) -> Iterator[None]:
    """What the client raises in our words: StorageUnavailable while MLflow is away, a warning when it refuses."""
    os.environ |= {name: value for name, value in settings.items() if name not in os.environ}
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in REFUSED:
            raise StorageUnavailable(f"MLflow at {ref.tracking_uri}: {error.error_code}") from None
        log.warning("MLflow run %s takes no %s: %s", ref.run_id, what, error.error_code)
    except OSError as error:  # requests' errors among them
        raise StorageUnavailable(f"MLflow at {ref.tracking_uri}: {type(error).__name__}") from None


class Tracker:
    """One run, or none: then everything is taken and nothing is done."""

    def __init__(self, ref: MlflowRef | None) -> None:
        self._ref = ref
        self._client: Any = None

    def measures(self, measures: Iterable[Measure]) -> None:
        found = list(measures)
        for start in range(0, len(found), BATCH):
            self._do(partial(_log, measures=found[start : start + BATCH]))

    def parameters(self, values: Mapping[str, str]) -> None:
        """Settings of the run; the same name again must have the same value."""
        self._do(lambda client, run: _parameters(client, run, values))

    def text(self, path: str, content: str) -> None:
        self._do(lambda client, run: client.log_text(run, content, path))

    def table(self, path: str, columns: Mapping[str, list[Any]]) -> None:
        """A table as MLflow's UI shows it, written anew."""
        self._do(lambda client, run: _table(client, run, path, columns))

    def _do(self, action: Callable[[Any, str], object]) -> None:
        if self._ref is None:
            return
        with answering(self._ref):
            action(self._connected(), self._ref.run_id)

    def _connected(self) -> Any:
        from mlflow.tracking import MlflowClient

        if self._client is None and self._ref is not None:
            self._client = MlflowClient(tracking_uri=self._ref.tracking_uri)
        return self._client


def _log(client: Any, run: str, measures: Iterable[Measure]) -> None:
    from mlflow.entities import Metric

    client.log_batch(run, metrics=[Metric(m.name, m.value, m.at, m.step) for m in measures])


def _parameters(client: Any, run: str, values: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    client.log_batch(run, params=[Param(name, value) for name, value in values.items()])


def _table(client: Any, run: str, path: str, columns: Mapping[str, list[Any]]) -> None:
    """The file that `mlflow.log_table` writes, and the tag by which the UI finds it; without pandas."""
    import json

    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    client.log_text(run, json.dumps({"columns": list(columns), "data": rows}), path)
    known = json.loads(client.get_run(run).data.tags.get(TABLES, "[]"))
    mine = {"path": path, "type": "table"}
    if mine not in known:
        client.set_tag(run, TABLES, json.dumps([*known, mine]))
