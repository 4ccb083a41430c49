"""The items of an evaluation, and the topics that the data set corrects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feedbackloop.api.evaluation import Slice, Suite
from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.jobs import datasets, golden
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.probes import Training
from feedbackloop.jobs.storage import Store
from feedbackloop.jobs.suiteitems import Items, probe_items, suite_digest, team_items
from feedbackloop.jobs.vault import Vault

REGRESSIONS, TOPICS = "regressions.jsonl", "corrected_topics.json"
ROWS, PEOPLE = "train.jsonl", "subjects.jsonl"


@dataclass(frozen=True)
class Exam:
    """What is asked: items by suite, and the topics that the data set corrects."""

    suites: Mapping[str, tuple[GoldenItem, ...]]
    corrected: frozenset[str]
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the suites' items."""

    def __len__(self) -> int:
        return sum(len(items) for items in self.suites.values())

    def chosen(self, suite: str, part: Slice | None) -> list[int]:
        """The places of a slice's items in their suite."""
        items = self.suites[suite]
        if part is not Slice.UNCHANGED:
            return list(range(len(items)))
        return [place for place, item in enumerate(items) if item.topic not in self.corrected]


def read(spec: EvaluateSpec, store: Store, vault: Vault, mounted: Path) -> Exam:
    """Everything, verified. Suites of lm-evaluation-harness are asked in its own way and are not in it."""
    missing = sorted({gate.suite for gate in spec.gates} - {suite.name for suite in spec.suites})
    if missing:
        raise InvalidSpec(f"gates: there are no suites {', '.join(missing)}")
    files = datasets.read(vault, spec.dataset_digest, REGRESSIONS, TOPICS)
    training = _training(vault, spec)
    suites: dict[str, Items] = {}
    for suite in spec.suites:
        own = team_items(suite, prefix=spec.golden_prefix, bucket=store.at(""), mounted=mounted)
        found = own if own is not None else probe_items(suite, training)
        if suite.source.accepted_corrections is not None:
            found = golden.parse(files[REGRESSIONS], REGRESSIONS)
        if found is not None:
            suites[suite.name] = found
    return Exam(suites, topics(files[TOPICS]), {s.name: suite_digest(s, suites[s.name]) for s in _in(spec, suites)})


def _in(spec: EvaluateSpec, suites: Mapping[str, Items]) -> list[Suite]:
    return [suite for suite in spec.suites if suite.name in suites]


def _training(vault: Vault, spec: EvaluateSpec) -> Training | None:
    """The rows that the candidate was trained on, where a suite asks for what it remembers of them."""
    if not any(suite.source.probes is not None for suite in spec.suites):
        return None
    there = {file.path for file in datasets.read_manifest(vault, spec.dataset_digest).files}
    files = datasets.read(vault, spec.dataset_digest, *({ROWS, PEOPLE} & there))
    return Training(files.get(ROWS, b""), files.get(PEOPLE, b""))


def topics(data: bytes) -> frozenset[str]:
    """The topics with an accepted correction."""
    found = json.loads(data)
    if not isinstance(found, list) or not all(isinstance(topic, str) for topic in found):
        raise InvalidDataset(f"{TOPICS}: is not a list of topics")
    return frozenset(found)
