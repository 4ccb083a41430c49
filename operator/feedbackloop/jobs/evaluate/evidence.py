"""Each gate's canonical JSON beside the result: created once, so that what was judged cannot change."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.jobs import EvaluateSpec
from feedbackloop.domain import gates
from feedbackloop.domain.gates import Evidence, ItemRow
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.storage import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """What the models were found to do on a gate's items."""

    rows: Sequence[ItemRow]
    suite_digest: str
    scorer: str
    advisory: str = ""
    error: str = ""
    judge: Mapping[str, Any] = field(default_factory=dict)


def evidence(spec: EvaluateSpec, gate: Gate, scored: Scored, decoding: Mapping[str, Any]) -> Evidence:
    """The inputs of the gate's verdict."""
    suite = next(suite for suite in spec.suites if suite.name == gate.suite)
    return Evidence(
        run_id=spec.run_id,
        gate=gate,
        suite=suite,
        suite_digest=scored.suite_digest,
        models={"champion": spec.champion.digest, "candidate": spec.candidate.digest},
        decoding=decoding,
        scorer=scored.scorer,
        level=gates.level(gate, suite, scored.suite_digest, spec.looks),
        seed=seed(spec.run_id, gate.name),
        items=tuple(scored.rows),
        advisory=scored.advisory,
        error=scored.error,
        judge=scored.judge,
    )


def seed(run_id: str, gate: str) -> int:
    """Of a gate's bootstrap: fixed by the run, which nobody can choose after the fact."""
    return int.from_bytes(hashlib.sha256(f"{run_id}\n{gate}".encode()).digest()[:4], "big")


def keep(store: Store, prefix: str, made: Evidence) -> Evidence:
    """Store the document, or take the one that an earlier attempt left: that is what was measured first."""
    key, document = prefix + gates.path(made.gate.name), made.document()
    if store.create(key, document):
        return made
    found = store.get(key)
    if found is None or found == document:
        return made
    log.info("gate %s: an earlier attempt measured it already", made.gate.name)
    return _earlier(key, found, made)


def _earlier(key: str, found: bytes, made: Evidence) -> Evidence:
    try:
        earlier = Evidence.of(json.loads(found))
    except ValueError as error:
        raise InvalidDataset(f"{key}: is no gate's evidence ({error}); remove it") from None
    if earlier.document() != found or (earlier.run_id, earlier.gate) != (made.run_id, made.gate):
        raise InvalidDataset(f"{key}: does not follow from its own rows; remove it")
    return earlier
