"""The MLflow adapter on a real MLflow server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.adapters.mlflow import TAG_RUN, MlflowAdapter
from feedbackloop.adapters.mlflow_rest import MlflowRest
from feedbackloop.adapters.ports import Json
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import OperatorError, Transient
from tests.support.mlflow_server import mlflow_server

pytestmark = pytest.mark.api
SOURCE = "s3://models/support-bot/0123456789ab/"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


def admin_config(url: str) -> AdminConfig:
    return AdminConfig.model_validate(
        {
            "endpoints": [{"name": "mlflow", "type": "MLflow", "url": url}],
            "profiles": [],
            "jobs": {"name": "jobs", "image": "x"},
            "gateway": {"image": "x"},
        }
    )


@pytest.fixture
async def rest(url: str) -> AsyncIterator[MlflowRest]:
    rest = MlflowRest(admin_config(url))
    yield rest
    await rest.close()


@pytest.fixture
def mlflow(rest: MlflowRest) -> MlflowAdapter:
    return MlflowAdapter(rest)


@pytest.fixture
async def experiment(mlflow: MlflowAdapter) -> str:
    return await mlflow.ensure_experiment("mlflow", "ml.support-bot")


async def run(mlflow: MlflowAdapter, experiment: str, uid: str) -> str:
    return await mlflow.ensure_run("mlflow", experiment, run_uid=uid, name=f"run-{uid}", tags={"loop": "support-bot"})


async def test_an_experiment_is_made_once(mlflow: MlflowAdapter, experiment: str) -> None:
    assert await mlflow.ensure_experiment("mlflow", "ml.support-bot") == experiment


async def test_a_run_is_made_once_for_a_run_uid(mlflow: MlflowAdapter, experiment: str) -> None:
    first = await run(mlflow, experiment, "once")
    assert await run(mlflow, experiment, "once") == first
    assert await run(mlflow, experiment, "other") != first


async def test_a_run_whose_creation_was_answered_to_nobody_is_found_again(
    mlflow: MlflowAdapter, rest: MlflowRest, experiment: str
) -> None:
    answered = rest.call

    async def lost(endpoint_name: str, method: str, path: str, **rest_of_it: Any) -> Json:
        found = await answered(endpoint_name, method, path, **rest_of_it)
        if path == "runs/create":
            raise Transient(Reason.REGISTRY_UNAVAILABLE, "the answer was lost")
        return found

    rest.call = lost  # type: ignore[method-assign]
    with pytest.raises(Transient):
        await run(mlflow, experiment, "lost")
    rest.call = answered  # type: ignore[method-assign]
    await run(mlflow, experiment, "lost")
    filter_ = f"tags.`{TAG_RUN}` = 'lost'"
    found = await rest.call("mlflow", "POST", "runs/search", body={"experiment_ids": [experiment], "filter": filter_})
    assert len(found["runs"]) == 1


async def test_what_is_logged_and_how_a_run_ends_can_be_repeated(
    mlflow: MlflowAdapter, rest: MlflowRest, experiment: str
) -> None:
    run_id = await run(mlflow, experiment, "logged")
    for _ in range(2):
        await mlflow.log(
            "mlflow", run_id, params={"rows": "120"}, metrics={"accuracy": 0.98}, tags={"outcome": "Promoted"}
        )
        await mlflow.end_run("mlflow", run_id, "FINISHED")
    found = (await rest.call("mlflow", "GET", "runs/get", query={"run_id": run_id}))["run"]
    assert found["info"]["status"] == "FINISHED"
    assert {p["key"]: p["value"] for p in found["data"]["params"]} == {"rows": "120"}
    assert found["data"]["metrics"][0]["value"] == 0.98


async def test_a_version_is_made_once_and_carries_its_lineage(
    mlflow: MlflowAdapter, rest: MlflowRest, experiment: str
) -> None:
    run_id = await run(mlflow, experiment, "versioned")
    for _ in range(2):
        await mlflow.ensure_registered_model("mlflow", "once")
    made = [
        await mlflow.ensure_version(
            "mlflow", "once", run_uid=uid, run_id=run_id, source=SOURCE, tags={"digest": "sha256:1"}
        )
        for uid in ("a", "a", "b", "a")
    ]
    assert made == ["1", "1", "2", "1"]
    await mlflow.set_tags("mlflow", "once", "1", {"outcome": "Promoted"})
    version = await rest.call("mlflow", "GET", "model-versions/get", query={"name": "once", "version": "1"})
    found = version["model_version"]
    assert (found["source"], found["run_id"]) == (SOURCE, run_id)
    assert {t["key"]: t["value"] for t in found["tags"]} == {"digest": "sha256:1", TAG_RUN: "a", "outcome": "Promoted"}


async def test_an_alias_moves_and_is_written_only_when_it_differs(
    mlflow: MlflowAdapter, rest: MlflowRest, experiment: str
) -> None:
    await mlflow.ensure_registered_model("mlflow", "aliased")
    for uid in ("a", "b"):
        run_id = await run(mlflow, experiment, f"aliased-{uid}")
        await mlflow.ensure_version("mlflow", "aliased", run_uid=uid, run_id=run_id, source=SOURCE, tags={})
    assert await mlflow.get_aliases("mlflow", "aliased") == {}
    await mlflow.set_alias("mlflow", "aliased", "champion", "1")
    await mlflow.set_alias("mlflow", "aliased", "champion", "2")
    assert await mlflow.get_aliases("mlflow", "aliased") == {"champion": "2"}
    writes = _count_writes(rest)
    await mlflow.set_alias("mlflow", "aliased", "champion", "2")
    assert writes == []
    for _ in range(2):
        await mlflow.delete_alias("mlflow", "aliased", "champion")
    assert await mlflow.get_aliases("mlflow", "aliased") == {}
    assert writes == ["DELETE registered-models/alias"]


async def test_a_model_that_is_absent_has_no_aliases(mlflow: MlflowAdapter) -> None:
    assert await mlflow.get_aliases("mlflow", "absent") == {}


async def test_a_host_that_the_server_does_not_know_is_told_apart(tmp_path: Path, url: str) -> None:
    """`localhost` is not among the hosts that this server was started with."""
    rest = MlflowRest(admin_config(url.replace("127.0.0.1", "localhost")))
    with pytest.raises(OperatorError) as raised:
        await MlflowAdapter(rest).get_aliases("mlflow", "m")
    await rest.close()
    assert raised.value.reason is Reason.REGISTRY_HOST_NOT_ALLOWED


def _count_writes(rest: MlflowRest) -> list[str]:
    writes: list[str] = []
    call: Callable[..., Awaitable[Json]] = rest.call

    async def counted(endpoint_name: str, method: str, path: str, **rest_of_it: Any) -> Json:
        if method != "GET":
            writes.append(f"{method} {path}")
        return await call(endpoint_name, method, path, **rest_of_it)

    rest.call = counted  # type: ignore[method-assign]
    return writes
