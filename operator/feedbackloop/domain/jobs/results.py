"""`result.json` read back: trusted only when it names the very spec the attempt was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from feedbackloop.api.improvementrun import StageName
from feedbackloop.api.jobs import CurateResult, EvaluateResult, Result, ShadowResult, TrainResult

R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class ResultFile:
    """The object as stored."""

    body: dict[str, object]
    digest: str
    """The sha256 of its bytes."""


@dataclass(frozen=True)
class Found(Generic[R]):
    result: R
    digest: str


RESULTS: dict[StageName, type[Result]] = {
    StageName.CURATE: CurateResult,
    StageName.TRAIN: TrainResult,
    StageName.EVALUATE: EvaluateResult,
    StageName.SHADOW: ShadowResult,
}


def accept(stage: StageName, file: ResultFile | None, run_id: str, spec_digest: str) -> Found[Result] | None:
    """The result, if there is one of exactly this spec."""
    if file is None:
        return None
    try:
        result = RESULTS[stage].model_validate(file.body)
    except ValidationError:
        return None
    same = result.run_id == run_id and result.spec_digest == spec_digest
    return Found(result, file.digest) if same else None
