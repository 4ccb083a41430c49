"""A whole loop in the fake world, but with a real MLflow server: what people find there afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.adapters.mlflow import MlflowAdapter
from feedbackloop.adapters.mlflow_rest import MlflowRest
from feedbackloop.api.adminconfig import AdminConfig
from tests.api.run.conftest import Make
from tests.api.run.watching import over, the_run
from tests.support.fakeworld import declared, jobs
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.world import World
from tests.support.mlflow_server import mlflow_server

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
Json = dict[str, Any]


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[MlflowRest]:
    with mlflow_server(tmp_path) as url:
        endpoints = [{"name": "mlflow", "type": "MLflow", "url": url}]
        rest = MlflowRest(AdminConfig.model_validate({**declared.ADMIN.to_wire(), "endpoints": endpoints}))
        yield rest
        await rest.close()


async def test_a_promoted_run_is_found_with_its_lineage_and_its_aliases(make: Make, rest: MlflowRest) -> None:
    world = await make()
    world.mlflow = MlflowAdapter(rest)
    await Life(world).until(over(world))
    run = await the_run(world)
    tracked = await call(rest, "runs/get", run_id=run["status"]["mlflow"]["runId"])
    assert tracked["run"]["info"]["status"] == "FINISHED"
    assert pairs(tracked["run"]["data"]["tags"])["feedbackloop.dev/outcome"] == "Promoted"
    assert pairs(tracked["run"]["data"]["params"])["champion_digest"] == declared.BASE["digest"]
    await check_versions(world, rest, run)


async def check_versions(world: World, rest: MlflowRest, run: Json) -> None:
    model = (await call(rest, "registered-models/get", name="support-bot"))["registered_model"]
    aliases = {a["alias"]: a["version"] for a in model["aliases"]}
    assert set(aliases) == {"champion", "previous"}
    champion = await version(rest, aliases["champion"])
    assert aliases["champion"] == run["status"]["mlflow"]["modelVersion"]
    assert champion["source"] == jobs.CANDIDATE.uri
    assert champion["run_id"] == run["status"]["mlflow"]["runId"]
    assert pairs(champion["tags"])["feedbackloop.dev/dataset-digest"] == jobs.DATASET
    assert pairs(champion["tags"])["feedbackloop.dev/base-digest"] == declared.BASE["digest"]
    assert (await version(rest, aliases["previous"]))["source"] == declared.BASE["uri"]


async def version(rest: MlflowRest, number: str) -> Json:
    found = await call(rest, "model-versions/get", name="support-bot", version=number)
    made: Json = found["model_version"]
    return made


async def call(rest: MlflowRest, path: str, **query: str) -> Json:
    return await rest.call("mlflow", "GET", path, query=query)


def pairs(items: list[Json]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}
