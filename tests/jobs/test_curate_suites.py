"""Curation sizes every suite that it can open, and regression items stay from run to run."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import CurateResult, ExitCode
from feedbackloop.jobs import canonical, datasets
from tests.jobs.pod import Pod, conversation
from tests.support.seaweedfs import SeaweedFs

OWN = canonical.lines(
    {"id": f"m{at}", "topic": "t", "messages": [{"role": "user", "content": f"own {at}"}], "intent": f"i{at // 2}"}
    for at in range(6)
)
SUITES: list[dict[str, Any]] = [
    {"name": "mine", "source": {"configMap": {"name": "items", "key": "a.jsonl"}, "digest": canonical.digest(OWN)}},
    {"name": "bias", "source": {"probes": "Bias"}},
    {"name": "secrets", "source": {"probes": "Memorisation"}},
    {"name": "fixes", "source": {"acceptedCorrections": {}}},
]


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    folder = tmp_path / "suites" / "items"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(OWN)
    made = Pod(s3, tmp_path)
    asked = [(who, f"hotline hours variant {n}?") for n in range(6) for who in ("ann", "ben", "cy")]
    made.upload(chain(*(conversation(n, who, text, "9 to 17", "8 to 20") for n, (who, text) in enumerate(asked))))
    return made


def curated(pod: Pod, run: str, **changes: Any) -> CurateResult:
    code, out = pod.run(pod.spec(runId=f"curate-{run * 12}", golden=SUITES, **changes))
    assert code == ExitCode.OK, out
    return CurateResult.model_validate(pod.json("result.json", f"curate-{run * 12}"))


def test_sizes_intents_and_digests_of_all_suites_are_told(pod: Pod) -> None:
    found = curated(pod, "a")
    assert (found.slices["mine"], found.slices["mine#intents"]) == (6, 3)
    assert found.slices["bias"] > found.slices["bias#intents"] > 30
    assert found.slices["secrets"] == 0
    assert found.slices["fixes"] == found.regression_items > 0
    assert found.suite_digests["mine"] == canonical.digest(OWN)
    assert set(found.suite_digests) == {"mine", "bias", "fixes"}


def test_items_of_an_earlier_run_are_items_of_a_later_one_whose_feedback_is_gone(pod: Pod) -> None:
    first = curated(pod, "a")
    later = curated(pod, "b", cut=[])
    assert (later.events, later.training_rows) == (0, 0)
    assert later.regression_items == later.slices["fixes"] == first.regression_items
    kept = datasets.read(pod.vault, later.dataset_digest, "regressions.jsonl")["regressions.jsonl"]
    assert kept == datasets.read(pod.vault, first.dataset_digest, "regressions.jsonl")["regressions.jsonl"]
    again = curated(pod, "c")
    assert again.regression_items >= first.regression_items
    rows = datasets.read(pod.vault, again.dataset_digest, "train.jsonl")["train.jsonl"].splitlines()
    asked = {json.loads(line)["messages"][-1]["content"] for line in kept.splitlines()}
    assert asked.isdisjoint(json.loads(row)["prompt"][-1]["content"] for row in rows)


def test_a_config_map_that_is_not_there_ends_the_job_with_a_word_about_it(pod: Pod) -> None:
    (pod.home / "suites" / "items" / "a.jsonl").unlink()
    code, out = pod.run(pod.spec(golden=SUITES))
    assert code == ExitCode.INVALID_SPEC
    assert "suite mine: ConfigMap items, key a.jsonl: is not there" in out
