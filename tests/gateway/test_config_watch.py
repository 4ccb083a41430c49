"""The ConfigMap watch against an HTTPS server that speaks the API server's protocol (a fake, and only its protocol).

The real API server is in the API-level tests; here are its bad days: refused watches, cut watches, rotated tokens.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from feedbackloop.gateway.config_source import FIRST_RETRY_SECONDS, ConfigMapSource
from feedbackloop.gateway.settings import Settings
from tests.gateway.process import free_port


def certificate(folder: Path) -> ssl.SSLContext:
    """A server context for 127.0.0.1, its certificate as the CA in `folder`."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake-api")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


class FakeApi:
    """One ConfigMap `bot-gateway` in namespace `ml`, watched by name only."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.version, self.config, self.token = 1, "one", "token-1"
        self.watchers: list[web.StreamResponse] = []
        self.seen = 0
        """Watches that were begun."""
        self.gone = 0
        """Watches that will be refused by an ERROR event."""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/ml/configmaps", self._watch)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=certificate(self.folder)).start()

    async def stop(self) -> None:
        self.watchers.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    def _object(self) -> dict[str, Any]:
        return {"metadata": {"resourceVersion": str(self.version)}, "data": {"config.json": self.config}}

    def _authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        query = request.query
        assert query["fieldSelector"] == "metadata.name=bot-gateway"
        assert "resourceVersion" not in query, "a version may be older than all that the server remembers"
        self.seen += 1
        response = web.StreamResponse()
        await response.prepare(request)
        if self.gone:
            self.gone -= 1
            await response.write(b'{"type": "ERROR", "object": {"code": 410}}\n')
            return response
        await response.write(json.dumps({"type": "ADDED", "object": self._object()}).encode() + b"\n")
        self.watchers.append(response)
        while response in self.watchers:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return response

    async def change(self, config: str) -> None:
        self.version, self.config = self.version + 1, config
        line = json.dumps({"type": "MODIFIED", "object": self._object()}).encode() + b"\n"
        for watcher in self.watchers:
            await watcher.write(line[:20])
            await watcher.write(line[20:])


async def until(condition: Any, what: str) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not in time: {what}")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[FakeApi]:
    server = FakeApi(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def delivered(api: FakeApi) -> AsyncIterator[list[bytes]]:
    """What the source delivers, with the source running."""
    (api.folder / "token").write_text("token-1")
    settings = Settings(
        pod="p",
        namespace="ml",
        config_name="bot-gateway",
        service_account=api.folder,
        api_server=f"https://127.0.0.1:{api.port}",
    )
    found: list[bytes] = []
    task = asyncio.create_task(ConfigMapSource(settings).run(found.append))
    yield found
    task.cancel()


async def test_a_change_is_delivered_as_it_happens(api: FakeApi, delivered: list[bytes]) -> None:
    await until(lambda: api.watchers, "it watches")
    await api.change("two")
    await until(lambda: delivered[-1:] == [b"two"], "the change is delivered")
    assert api.seen == 1


async def test_a_watch_that_ends_is_begun_anew_with_the_present_state(api: FakeApi, delivered: list[bytes]) -> None:
    await until(lambda: api.watchers, "it watches")
    api.config = "two"
    api.watchers.clear()
    await until(lambda: delivered[-1:] == [b"two"], "the state is delivered")


async def test_a_server_that_refuses_every_watch_is_not_asked_in_a_circle(api: FakeApi, delivered: list[bytes]) -> None:
    await until(lambda: api.watchers, "it watches")
    api.gone, api.config = 3, "three"
    api.watchers.clear()
    start = time.monotonic()
    await until(lambda: delivered[-1:] == [b"three"], "the new object is delivered")
    assert api.gone == 0
    assert time.monotonic() - start > 3 * FIRST_RETRY_SECONDS, "it paused between the watches, longer each time"


async def test_while_the_server_is_away_it_keeps_trying(api: FakeApi, delivered: list[bytes]) -> None:
    await until(lambda: delivered == [b"one"], "the first configuration")
    await api.stop()
    api.config = "after"
    await api.start()
    await until(lambda: delivered[-1:] == [b"after"], "the configuration after the outage")


async def test_a_rotated_token_is_read_again(api: FakeApi, delivered: list[bytes]) -> None:
    await until(lambda: api.watchers, "it watches")
    api.token, api.config = "token-2", "two"
    api.watchers.clear()
    (api.folder / "token").write_text("token-2")
    await until(lambda: len(api.watchers) == 1, "it watches with the new token")
    await api.change("three")
    await until(lambda: delivered[-1:] == [b"three"], "the change is delivered")
