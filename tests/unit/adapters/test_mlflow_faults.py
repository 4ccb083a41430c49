"""The MLflow adapter before a server that misbehaves; how a real one behaves is tested in tests/api/adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from feedbackloop.adapters.mlflow import TAG_DUPLICATE, MlflowAdapter
from feedbackloop.adapters.mlflow_rest import MlflowRest
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient, UserError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers what the test says, by path; remembers what it was sent."""

    def __init__(self, credentials: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.headers: dict[str, str] = {}
        self.bodies: list[tuple[str, dict[str, str]]] = []
        self.credentials = credentials
        self.server: TestServer | None = None

    async def start(self) -> MlflowAdapter:
        app = web.Application()
        app.router.add_route("*", "/api/2.0/mlflow/{path:.*}", self.handle)
        self.server = TestServer(app)
        await self.server.start_server()
        url = f"http://127.0.0.1:{self.server.port}"
        config = {
            "endpoints": [{"name": "mlflow", "type": "MLflow", "url": url}],
            "profiles": [],
            "jobs": {"name": "jobs", "image": "x"},
            "gateway": {"image": "x"},
            "credentialsPath": str(self.credentials),
        }
        self.rest = MlflowRest(AdminConfig.model_validate(config))
        return MlflowAdapter(self.rest)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.headers = dict(request.headers)
        if request.can_read_body:
            self.bodies.append((path, await request.json()))
        return await self.answers[path](request)

    def says(self, path: str, status: int, body: object) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=status)

        self.answers[path] = answer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    yield server
    await server.rest.close()
    assert server.server is not None
    await server.server.close()


async def test_a_host_that_the_server_does_not_allow_is_told_apart(server: Server) -> None:
    mlflow = await server.start()
    server.says("registered-models/get", 403, "Invalid Host header - possible DNS rebinding attack detected")
    with pytest.raises(Transient, match="--allowed-hosts") as raised:
        await mlflow.get_aliases("mlflow", "m")
    assert raised.value.reason is Reason.REGISTRY_HOST_NOT_ALLOWED


async def test_a_server_error_and_no_server_are_both_unavailable(server: Server) -> None:
    mlflow = await server.start()
    server.says("registered-models/get", 500, {"error_code": "INTERNAL_ERROR"})
    for _ in range(2):
        with pytest.raises(Transient) as raised:
            await mlflow.get_aliases("mlflow", "m")
        assert raised.value.reason is Reason.REGISTRY_UNAVAILABLE
        assert server.server is not None
        await server.server.close()


async def test_an_endpoint_that_the_admin_did_not_name_gets_nothing(server: Server) -> None:
    mlflow = await server.start()
    with pytest.raises(UserError) as raised:
        await mlflow.get_aliases("elsewhere", "m")
    assert raised.value.reason is Reason.UNKNOWN_ENDPOINT


async def test_the_first_of_two_versions_of_one_run_is_kept_and_the_other_tagged(server: Server) -> None:
    mlflow = await server.start()
    server.says("model-versions/search", 200, {"model_versions": [{"version": "7"}, {"version": "4"}]})
    server.says("model-versions/set-tag", 200, {})
    kept = await mlflow.ensure_version("mlflow", "m", run_uid="u", run_id="r", source="s3://m/1/", tags={})
    assert kept == "4"
    assert server.bodies == [
        ("model-versions/set-tag", {"name": "m", "version": "7", "key": TAG_DUPLICATE, "value": "4"})
    ]


async def test_a_renewed_token_is_used_without_a_restart(server: Server, tmp_path: Path) -> None:
    mlflow = await server.start()
    server.says("registered-models/get", 200, {})
    folder = tmp_path / "mlflow"
    folder.mkdir()
    for token in ("one", "two"):
        (folder / "MLFLOW_TRACKING_TOKEN").write_text(f"{token}\n")
        await mlflow.get_aliases("mlflow", "m")
        assert server.headers["Authorization"] == f"Bearer {token}"
