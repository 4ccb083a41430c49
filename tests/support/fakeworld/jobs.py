"""FakeJobs: what the stage jobs leave behind, computed from the very spec file that the pod would read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.evaluation import GateType
from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import (
    CurateResult,
    CurateSpec,
    EvaluateResult,
    EvaluateSpec,
    GateCounts,
    JobSpec,
    NamedEntities,
    Result,
    SweepResult,
    SweepSpec,
    TrainResult,
    TrainSpec,
)

SPECS: dict[str, type[JobSpec]] = {
    "curate": CurateSpec,
    "train": TrainSpec,
    "evaluate": EvaluateSpec,
    "sweep": SweepSpec,
}
SWEPT_AT = "2026-01-01T00:00:00Z"
DATASET = "sha256:" + "d" * 64
CANDIDATE = Model(uri=f"s3://models/support-bot/{'c' * 64}/", digest="sha256:" + "c" * 64)

SECOND_CANDIDATE = Model(uri=f"s3://models/support-bot/{'f' * 64}/", digest="sha256:" + "f" * 64)
"""What comes of training the first one on."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ends."""

    exit_code: int = 0
    reason: str = "Completed"
    seconds: float = 0.0
    """How long it takes, on the test's clock."""
    pod_lost: bool = False
    leaves_result: bool = True


@dataclass(frozen=True)
class Outcome:
    """What the results say."""

    training_rows: int = 64
    items: int = 240
    gains: int = 18
    losses: int = 0
    """On the suites of NonInferiority gates."""
    named: NamedEntities | None = None


def result_of(text: str, attempt: int, outcome: Outcome) -> Result:
    """The result of a spec file."""
    spec = SPECS[json.loads(text)["stage"]].model_validate_json(text)
    head: dict[str, Any] = {
        "run_id": spec.run_id,
        "attempt": attempt,
        "spec_digest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
    }
    if isinstance(spec, CurateSpec):
        return _curated(head, outcome)
    if isinstance(spec, TrainSpec):
        model = CANDIDATE if spec.base.digest != CANDIDATE.digest else SECOND_CANDIDATE
        return TrainResult(**head, model=model, steps=100, final_loss=0.25, launcher=spec.launcher)
    if isinstance(spec, SweepSpec):
        return SweepResult(**head, deleted={"events": 2}, verified=True, swept_at=spec.last_sweep or SWEPT_AT)
    assert isinstance(spec, EvaluateSpec)
    return _evaluated(head, spec, outcome)


def _curated(head: dict[str, Any], outcome: Outcome) -> CurateResult:
    return CurateResult(
        **head,
        dataset_digest=DATASET,
        events=400,
        interactions=300,
        excluded={"NotCorroborated": 9, "NoConsent": 4},
        training_rows=outcome.training_rows,
        regression_items=24,
        slices={"golden": outcome.items, "golden/unchanged": outcome.items, "regressions": 24},
        named=outcome.named,
    )


def _evaluated(head: dict[str, Any], spec: EvaluateSpec, outcome: Outcome) -> EvaluateResult:
    digests = {s.name: s.source.digest or DATASET for s in spec.suites}

    def counts(name: str, suite: str, type_: GateType) -> GateCounts:
        if type_ is GateType.SUPERIORITY:
            gains = outcome.gains
            return GateCounts(name=name, suite=suite, n=24, both=2, only_champion=0, only_candidate=gains)
        both = outcome.items - 10 - outcome.losses
        return GateCounts(
            name=name, suite=suite, n=outcome.items, both=both, only_champion=outcome.losses, only_candidate=0
        )

    return EvaluateResult(
        **head,
        champion_digest=spec.champion.digest,
        candidate_digest=spec.candidate.digest,
        gates=tuple(
            counts(g.name, g.suite, g.type).model_copy(update={"suite_digest": digests[g.suite]}) for g in spec.gates
        ),
    )
