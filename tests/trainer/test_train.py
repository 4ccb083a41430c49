"""The train job from spec to artefact, and every way in which it can end."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbackloop.api.jobs import TrainResult
from feedbackloop.jobs import artefact
from tests.trainer import rows
from tests.trainer.pod import Pod

pytestmark = pytest.mark.trainer


def test_a_training_ends_with_an_artefact_by_digest_and_a_result(pod: Pod, base: Path, tmp_path: Path) -> None:
    spec = pod.train_spec(pod.push(base), pod.put_data_set(rows.corrections(4) + rows.replayed(24)))
    assert pod.run(spec) == 0, pod.log
    result = TrainResult.model_validate(pod.json(spec))
    assert result.steps == 40 and result.resumed_from_step == 0
    artefact.fetch(pod.models, result.model, tmp_path / "fetched")
    assert (tmp_path / "fetched" / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    assert pod.json(spec, "progress.json")["step"] == 40
