"""FakeMlflow: `MlflowPort` in memory, which searches before it creates as the adapter does with the real server."""

from __future__ import annotations

from collections.abc import Mapping

from feedbackloop.adapters.ports import RunStatus
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient
from tests.support.fakeworld.state import State, TrackedRun, Version

SERVICE = "mlflow"
_NOTHING: Mapping[str, str] = {}
_NO_METRICS: Mapping[str, float] = {}


class FakeMlflow:
    """The server's state is the world's; only the searching is here."""

    def __init__(self, state: State) -> None:
        self.state = state

    def _answer(self) -> None:
        if SERVICE in self.state.away:
            raise Transient(Reason.REGISTRY_UNAVAILABLE, "MLflow does not answer")

    async def ensure_experiment(self, endpoint_name: str, name: str) -> str:
        self._answer()
        return f"experiment-{name}"

    async def ensure_run(
        self, endpoint_name: str, experiment_id: str, *, run_uid: str, name: str, tags: Mapping[str, str]
    ) -> str:
        self._answer()
        found = [run_id for run_id, run in self.state.runs.items() if run.run_uid == run_uid]
        if found:
            return found[0]
        run_id = f"mlflow-run-{len(self.state.runs) + 1}"
        self.state.runs[run_id] = TrackedRun(run_uid, name, experiment_id, dict(tags))
        self.state.changed()
        return run_id

    async def log(
        self,
        endpoint_name: str,
        run_id: str,
        *,
        params: Mapping[str, str] = _NOTHING,
        metrics: Mapping[str, float] = _NO_METRICS,
        tags: Mapping[str, str] = _NOTHING,
    ) -> None:
        self._answer()
        run = self.state.runs[run_id]
        changed = [key for key, value in params.items() if run.params.setdefault(key, value) != value]
        assert not changed, f"MLflow refuses to change parameters: {changed}"
        run.tags.update(tags)
        self.state.changed()

    async def end_run(self, endpoint_name: str, run_id: str, status: RunStatus) -> None:
        self._answer()
        self.state.runs[run_id].status = status
        self.state.changed()

    async def ensure_registered_model(self, endpoint_name: str, name: str) -> None:
        self._answer()
        self.state.versions.setdefault(name, [])
        self.state.aliases.setdefault(name, {})
        self.state.changed()

    async def ensure_version(
        self, endpoint_name: str, name: str, *, run_uid: str, run_id: str, source: str, tags: Mapping[str, str]
    ) -> str:
        self._answer()
        versions = self.state.versions[name]
        for number, version in enumerate(versions, 1):
            if version.key == run_uid:
                return str(number)
        versions.append(Version(run_uid, run_id, source, dict(tags)))
        self.state.changed()
        return str(len(versions))

    async def set_tags(self, endpoint_name: str, name: str, version: str, tags: Mapping[str, str]) -> None:
        self._answer()
        self.state.versions[name][int(version) - 1].tags.update(tags)
        self.state.changed()

    async def set_alias(self, endpoint_name: str, name: str, alias: str, version: str) -> None:
        self._answer()
        self.state.aliases[name][alias] = version
        self.state.changed()

    async def delete_alias(self, endpoint_name: str, name: str, alias: str) -> None:
        self._answer()
        self.state.aliases.get(name, {}).pop(alias, None)
        self.state.changed()

    async def get_aliases(self, endpoint_name: str, name: str) -> dict[str, str]:
        self._answer()
        return dict(self.state.aliases.get(name, {}))
