"""One REST call to an MLflow server: who answers, with which credential, and what its errors mean."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from feedbackloop.adapters.credentials import CredentialFiles
from feedbackloop.adapters.ports import Json
from feedbackloop.api.adminconfig import AdminConfig, Endpoint, EndpointType
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient, UserError

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
KEYS = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


class RefusedError(Exception):
    """MLflow understood the call and said no: `code` is its `error_code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class MlflowRest:
    """Calls `/api/2.0/mlflow/…` of an endpoint of the admin's file."""

    def __init__(self, config: AdminConfig) -> None:
        self._config = config
        self._credentials = CredentialFiles(config.credentials_path)
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        endpoint_name: str,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
    ) -> Json:
        """The answer; `RefusedError` for an error that the caller may know, else an error of our tree."""
        endpoint = self._endpoint(endpoint_name)
        url = f"{endpoint.url.rstrip('/')}/api/2.0/mlflow/{path}"
        try:
            async with self._open().request(
                method,
                url,
                json=body,
                params=query,
                headers=self._credentials.authorization(endpoint.name, *KEYS),
                allow_redirects=False,
            ) as answer:
                return _judge(endpoint, path, answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as cause:
            raise _unavailable(endpoint, f"{path}: {type(cause).__name__}: {cause}") from cause

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _endpoint(self, name: str) -> Endpoint:
        endpoint = self._config.endpoint(name, EndpointType.MLFLOW)
        if endpoint is None:
            raise UserError(Reason.UNKNOWN_ENDPOINT, f"the admin's file has no MLflow endpoint {name!r}")
        return endpoint

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def _judge(endpoint: Endpoint, path: str, status: int, data: bytes) -> Json:
    value = _json(data)
    if status == 200:
        return value
    if status == 403 and b"rebinding" in data.lower():
        message = f"{endpoint.url} is not in the server's --allowed-hosts: add this host there"
        raise Transient(Reason.REGISTRY_HOST_NOT_ALLOWED, message)
    code = str(value.get("error_code") or "")
    if code and status < 500 and status != 429:
        raise RefusedError(code, str(value.get("message"))[:300])
    raise _unavailable(endpoint, f"{path}: answered {status} {code}".rstrip())


def _json(data: bytes) -> Json:
    try:
        value: Any = json.loads(data or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _unavailable(endpoint: Endpoint, what: str) -> Transient:
    return Transient(Reason.REGISTRY_UNAVAILABLE, f"MLflow {endpoint.name}: {what}"[:500])
