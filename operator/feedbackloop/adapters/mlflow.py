"""`MlflowPort` by REST: look, create, look again, keep the first; so every call may be repeated.

MLflow has no idempotency keys, but tags are set atomically with a creation and can be searched. It
is never imported: it costs 3 s and blocks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from feedbackloop.adapters.mlflow_rest import MlflowRest, RefusedError
from feedbackloop.adapters.ports import Json, RunStatus
from feedbackloop.api import GROUP
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import OperatorError, Transient, UserError

TAG_RUN = f"{GROUP}/run-uid"
TAG_DUPLICATE = f"{GROUP}/duplicate-of"
_NOTHING: Mapping[str, str] = {}
_NO_METRICS: Mapping[str, float] = {}
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST"})
_EXISTS = frozenset({"RESOURCE_ALREADY_EXISTS"})


class MlflowAdapter:
    """The calls that the run and loop controllers need."""

    def __init__(self, rest: MlflowRest) -> None:
        self._rest = rest

    async def ensure_experiment(self, endpoint_name: str, name: str) -> str:
        found = await self._get(endpoint_name, "experiments/get-by-name", {"experiment_name": name})
        if found is None:
            await self._create(endpoint_name, "experiments/create", {"name": name})
            found = await self._get(endpoint_name, "experiments/get-by-name", {"experiment_name": name})
        if found is None:
            raise Transient(Reason.REGISTRY_UNAVAILABLE, f"experiment {name} is not there after its creation")
        return str(found["experiment"]["experiment_id"])

    async def ensure_run(
        self, endpoint_name: str, experiment_id: str, *, run_uid: str, name: str, tags: Mapping[str, str]
    ) -> str:
        found = await self._runs(endpoint_name, experiment_id, run_uid)
        if not found:
            body = {
                "experiment_id": experiment_id,
                "run_name": name,
                "start_time": _milliseconds(),
                "tags": _tags({**tags, TAG_RUN: run_uid}),
            }
            await self._post(endpoint_name, "runs/create", body)
            found = await self._runs(endpoint_name, experiment_id, run_uid)
        if not found:
            raise Transient(Reason.REGISTRY_UNAVAILABLE, f"the run of {run_uid} is not there after its creation")
        for duplicate in found[1:]:
            body = {"run_id": duplicate, "key": TAG_DUPLICATE, "value": found[0]}
            await self._post(endpoint_name, "runs/set-tag", body)
        return found[0]

    async def log(
        self,
        endpoint_name: str,
        run_id: str,
        *,
        params: Mapping[str, str] = _NOTHING,
        metrics: Mapping[str, float] = _NO_METRICS,
        tags: Mapping[str, str] = _NOTHING,
    ) -> None:
        at = _milliseconds()
        body = {
            "run_id": run_id,
            "params": _tags(params),
            "metrics": [{"key": k, "value": v, "timestamp": at, "step": 0} for k, v in sorted(metrics.items())],
            "tags": _tags(tags),
        }
        await self._post(endpoint_name, "runs/log-batch", body)

    async def end_run(self, endpoint_name: str, run_id: str, status: RunStatus) -> None:
        run = await self._get(endpoint_name, "runs/get", {"run_id": run_id})
        if run is not None and run["run"]["info"]["status"] == status:
            return
        body = {"run_id": run_id, "status": status, "end_time": _milliseconds()}
        await self._post(endpoint_name, "runs/update", body)

    async def ensure_registered_model(self, endpoint_name: str, name: str) -> None:
        if await self._get(endpoint_name, "registered-models/get", {"name": name}) is None:
            await self._create(endpoint_name, "registered-models/create", {"name": name})

    async def ensure_version(
        self, endpoint_name: str, name: str, *, run_uid: str, run_id: str, source: str, tags: Mapping[str, str]
    ) -> str:
        found = await self._versions(endpoint_name, name, run_uid)
        if not found:
            body = {"name": name, "source": source, "run_id": run_id, "tags": _tags({**tags, TAG_RUN: run_uid})}
            await self._post(endpoint_name, "model-versions/create", body)
            found = await self._versions(endpoint_name, name, run_uid)
        if not found:
            raise Transient(Reason.REGISTRY_UNAVAILABLE, f"the version of {run_uid} is not there after its creation")
        for duplicate in found[1:]:
            await self.set_tags(endpoint_name, name, str(duplicate), {TAG_DUPLICATE: str(found[0])})
        return str(found[0])

    async def set_tags(self, endpoint_name: str, name: str, version: str, tags: Mapping[str, str]) -> None:
        for key, value in sorted(tags.items()):
            body = {"name": name, "version": version, "key": key, "value": value}
            await self._post(endpoint_name, "model-versions/set-tag", body)

    async def set_alias(self, endpoint_name: str, name: str, alias: str, version: str) -> None:
        if (await self.get_aliases(endpoint_name, name)).get(alias) != version:
            body = {"name": name, "alias": alias, "version": version}
            await self._post(endpoint_name, "registered-models/alias", body)

    async def delete_alias(self, endpoint_name: str, name: str, alias: str) -> None:
        if alias in await self.get_aliases(endpoint_name, name):
            await self._post(endpoint_name, "registered-models/alias", {"name": name, "alias": alias}, "DELETE")

    async def get_aliases(self, endpoint_name: str, name: str) -> dict[str, str]:
        found = await self._get(endpoint_name, "registered-models/get", {"name": name})
        aliases = ((found or {}).get("registered_model") or {}).get("aliases") or []
        return {str(a["alias"]): str(a["version"]) for a in aliases}

    async def _runs(self, endpoint_name: str, experiment_id: str, run_uid: str) -> list[str]:
        """The ids of the runs with this tag, the first one made first."""
        body = {
            "experiment_ids": [experiment_id],
            "filter": f"tags.`{TAG_RUN}` = '{_quoted(run_uid)}'",
            "order_by": ["attributes.start_time ASC"],
            "max_results": 20,
        }
        found = await self._post(endpoint_name, "runs/search", body)
        infos = [run["info"] for run in found.get("runs") or []]
        return [str(i["run_id"]) for i in sorted(infos, key=lambda i: (int(i["start_time"]), i["run_id"]))]

    async def _versions(self, endpoint_name: str, name: str, run_uid: str) -> list[int]:
        text = f"name = '{_quoted(name)}' and tags.`{TAG_RUN}` = '{_quoted(run_uid)}'"
        found = await self._get(endpoint_name, "model-versions/search", {"filter": text, "max_results": "20"})
        return sorted(int(v["version"]) for v in (found or {}).get("model_versions") or [])

    async def _get(self, endpoint_name: str, path: str, query: dict[str, str]) -> Json | None:
        try:
            return await self._rest.call(endpoint_name, "GET", path, query=query)
        except RefusedError as refused:
            if refused.code in _ABSENT:
                return None
            raise _error(refused) from None

    async def _create(self, endpoint_name: str, path: str, body: Json) -> None:
        """Create what has a unique name: somebody else's creation is as good."""
        try:
            await self._rest.call(endpoint_name, "POST", path, body=body)
        except RefusedError as refused:
            if refused.code not in _EXISTS:
                raise _error(refused) from None

    async def _post(self, endpoint_name: str, path: str, body: Json, method: str = "POST") -> Json:
        try:
            return await self._rest.call(endpoint_name, method, path, body=body)
        except RefusedError as refused:
            raise _error(refused) from None


def _error(refused: RefusedError) -> OperatorError:
    if refused.code == "INVALID_PARAMETER_VALUE":
        return UserError(Reason.INVALID_SPEC, f"MLflow refused: {refused}")
    return Transient(Reason.REGISTRY_UNAVAILABLE, f"MLflow refused: {refused}")


def _tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(values.items())]


def _quoted(value: str) -> str:
    """Names of ours hold no quote; one that does must not change the filter."""
    return value.replace("'", "")


def _milliseconds() -> int:
    return int(time.time() * 1000)
