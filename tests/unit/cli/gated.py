"""A run that was evaluated: its documents and its result as the job leaves them, and the run as the operator has it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedbackloop.api.evaluation import Gate, GateType
from feedbackloop.api.jobs import EvaluateResult, EvaluateSpec
from feedbackloop.domain import gates, naming
from feedbackloop.domain.gates import Evidence, ItemRow
from feedbackloop.domain.jobs.results import ResultFile
from feedbackloop.domain.lifecycle.run_seen import StageSeen
from feedbackloop.jobs.evaluate.evidence import Scored, evidence
from tests.unit.domain.gates.given import pairs
from tests.unit.domain.run import given

DECODING = {"method": "greedy", "maxNewTokens": 48}


@dataclass(frozen=True)
class Gated:
    name: str
    prefix: str
    """Of the loop, in its bucket."""
    bucket: str
    run_id: str
    run: dict[str, Any]
    """The ImprovementRun as kubectl prints it."""
    files: dict[str, bytes]
    """Below `runs/<run id>/`."""

    def write(self, folder: Path) -> None:
        """As a copy of the run's folder."""
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


def rows(gate: Gate) -> list[ItemRow]:
    if gate.type is GateType.SUPERIORITY:
        return pairs(both=2, gains=18, neither=4)
    return pairs(both=170, losses=3, gains=5, neither=2)


def gated(**spec: Any) -> Gated:
    """Decided by the operator's own code from the job's own files."""
    seen = given.trained(**spec)
    told = EvaluateSpec.model_validate_json(given.spec_text(seen))
    made = [_evidence(told, gate) for gate in told.gates]
    template = given.result_file(seen).body
    kept = {"runId": template["runId"], "attempt": template["attempt"], "specDigest": template["specDigest"]}
    result = EvaluateResult.model_validate(
        {
            **kept,
            "championDigest": told.champion.digest,
            "candidateDigest": told.candidate.digest,
            "gates": [one.signed_counts().to_wire() for one in made],
        }
    )
    text = naming.canonical_json(result.to_wire()).encode()
    file = ResultFile(json.loads(text), hashlib.sha256(text).hexdigest())
    decision = given.decided(replace(seen, stage=StageSeen(job=given.running(seen), result=file)))
    body = {"metadata": {"name": seen.name}, "spec": seen.spec.to_wire(), "status": decision.status.to_wire()}
    documents = {gates.path(one.gate.name): one.document() for one in made}
    loop = given.loop(**spec)
    prefix = naming.storage_prefix(loop.spec.storage.prefix, loop.uid)
    return Gated(seen.name, prefix, loop.spec.storage.bucket, told.run_id, body, {**documents, "result.json": text})


def _evidence(told: EvaluateSpec, gate: Gate) -> Evidence:
    suite = next(suite for suite in told.suites if suite.name == gate.suite)
    digest = suite.source.digest or "sha256:" + "5" * 64
    return evidence(told, gate, Scored(rows(gate), digest, "contains_answer/1"), DECODING)
