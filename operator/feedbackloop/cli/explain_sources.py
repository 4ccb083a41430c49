"""Where a run's gate documents are read from: object storage with the user's own credentials, or a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from feedbackloop.api.improvementrun import GateResult, ImprovementRunStatus, StageName
from feedbackloop.api.jobs import EvaluateResult
from feedbackloop.domain import naming
from feedbackloop.domain.jobs.specs import pinned


class UnreadableError(Exception):
    """What is missing, and where to look."""


@dataclass(frozen=True)
class Files:
    """What an evaluation left, and what the run decided by."""

    place: str
    documents: Mapping[str, bytes]
    """By gate."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the documents, by gate, as the result names them; empty without a result."""
    verdicts: Mapping[str, GateResult] = field(default_factory=dict)
    """Of the run's status; empty without a run."""
    problems: tuple[str, ...] = ()

    @property
    def gates(self) -> list[str]:
        """In the run's order, then the result's, then whatever documents there are."""
        return list(dict.fromkeys([*self.verdicts, *self.digests, *sorted(self.documents)]))


def of_folder(folder: Path, run: str) -> Files:
    """A copy of `runs/<evaluate run id>/`, or of the `runs/` above it; beside the gates may lie `result.json`, and
    `run.json` with the ImprovementRun as kubectl prints it. Raises UnreadableError."""
    body = _json(folder / "run.json")
    status = _status(body) if body is not None else None
    identity = _evaluated(status) if status is not None else run
    places = (folder, folder / identity, folder / "runs" / identity, folder / run, folder / "runs" / run)
    home = next((place for place in places if (place / "gates").is_dir()), None)
    if home is None:
        raise UnreadableError(f"{folder}: there is no folder gates/ in it, nor in runs/{identity}/")
    documents = {path.stem: path.read_bytes() for path in sorted((home / "gates").glob("*.json"))}
    result = (home / "result.json").read_bytes() if (home / "result.json").is_file() else None
    return _files(str(home), documents, result, status)


def of_store(body: Mapping[str, Any], endpoint_url: str, region: str) -> Files:
    """From the bucket that the run's pinned inputs name. Raises UnreadableError."""
    from feedbackloop.jobs.errors import JobError
    from feedbackloop.jobs.modelstore import connect

    status = _status(body)
    if status.inputs is None:
        raise UnreadableError("the run has not begun: it has no inputs yet")
    storage = pinned(status.inputs.pinned_spec).storage
    prefix = naming.storage_prefix(storage.prefix, status.inputs.loop_uid)
    below = naming.run_path(prefix, _evaluated(status))
    try:
        store = connect(endpoint_url, storage.bucket, region).at(below)
        keys = [key for key in store.keys("gates/") if key.endswith(".json")]
        documents = {key.removeprefix("gates/").removesuffix(".json"): store.get(key) or b"" for key in keys}
        return _files(f"s3://{storage.bucket}/{below}", documents, store.get("result.json"), status)
    except (JobError, ValueError) as error:
        raise UnreadableError(str(error)) from None


def _files(
    place: str, documents: Mapping[str, bytes], result: bytes | None, status: ImprovementRunStatus | None
) -> Files:
    digests, problems = _digests(result)
    verdicts = {gate.name: gate for gate in status.gates} if status is not None else {}
    if status is not None and result is not None:
        stage = next(s for s in status.stages if s.name is StageName.EVALUATE)
        if stage.result_digest not in (None, f"sha256:{hashlib.sha256(result).hexdigest()}"):
            problems = (*problems, "not so: result.json is the one that the run's status names")
    return Files(place, documents, digests, verdicts, problems)


def _digests(result: bytes | None) -> tuple[dict[str, str], tuple[str, ...]]:
    if result is None:
        return {}, ()
    try:
        found = EvaluateResult.model_validate_json(result)
    except ValidationError:
        return {}, ("result.json is not the result of an evaluation",)
    return {gate.name: gate.evidence_digest for gate in found.gates}, ()


def _status(body: Mapping[str, Any]) -> ImprovementRunStatus:
    try:
        return ImprovementRunStatus.model_validate(body.get("status") or {})
    except ValidationError as error:
        raise UnreadableError(f"the run's status does not read: {error.error_count()} errors") from None


def _evaluated(status: ImprovementRunStatus) -> str:
    stage = next((s for s in status.stages if s.name is StageName.EVALUATE), None)
    if stage is None:
        raise UnreadableError("the run has not been evaluated yet")
    return stage.run_id


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        raise UnreadableError(f"{path}: is not JSON") from None
    return value if isinstance(value, dict) else None
