"""The items of an evaluation: golden files by digest, and the corrections that curation held out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from feedbackloop.api.evaluation import Suite
from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.jobs import datasets, golden
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.storage import Store
from feedbackloop.jobs.vault import Vault

REGRESSIONS, TOPICS = "regressions.jsonl", "corrected_topics.json"


@dataclass(frozen=True)
class Exam:
    """What is asked: items by suite, and the topics that the data set corrects."""

    suites: Mapping[str, tuple[GoldenItem, ...]]
    corrected: frozenset[str]

    def __len__(self) -> int:
        return sum(len(items) for items in self.suites.values())


def read(spec: EvaluateSpec, store: Store, vault: Vault) -> Exam:
    """Everything, verified."""
    files = datasets.read(vault, spec.dataset_digest, REGRESSIONS, TOPICS)
    suites = {suite.name: _items(suite, spec.golden_prefix, store, files[REGRESSIONS]) for suite in spec.suites}
    missing = sorted({gate.suite for gate in spec.gates} - suites.keys())
    if missing:
        raise InvalidSpec(f"gates: there are no suites {', '.join(missing)}")
    return Exam(suites, topics(files[TOPICS]))


def _items(suite: Suite, prefix: str, store: Store, regressions: bytes) -> tuple[GoldenItem, ...]:
    source = suite.source
    if source.object_name is None or source.digest is None:
        return golden.parse(regressions, REGRESSIONS)
    return golden.fetch(store.at(""), prefix + source.object_name, source.digest)


def topics(data: bytes) -> frozenset[str]:
    """The topics with an accepted correction."""
    found = json.loads(data)
    if not isinstance(found, list) or not all(isinstance(topic, str) for topic in found):
        raise InvalidDataset(f"{TOPICS}: is not a list of topics")
    return frozenset(found)


def sliced(items: Iterable[GoldenItem], rights: Iterable[bool], corrected: frozenset[str]) -> list[bool]:
    """Of the items whose topic no accepted correction touches: which were right."""
    return [right for item, right in zip(items, rights, strict=True) if item.topic not in corrected]
