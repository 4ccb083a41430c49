"""A gate's canonical JSON: everything that its verdict rests on, from which anybody can compute it again.

It holds ids, scores and digests, no text. `counts` and `verdict` stand in it for readers; they are functions of the
rest, and `Evidence.of(document).document()` is the document again, byte for byte, unless something was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from feedbackloop.api.evaluation import Gate, Suite
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.domain import naming
from feedbackloop.domain.gates.counting import count
from feedbackloop.domain.gates.findings import Level
from feedbackloop.domain.gates.judging import judge
from feedbackloop.domain.gates.rows import ItemRow

SCHEMA_VERSION = 1
STATED = ("counts", "verdict")
"""What is computed from the rest."""


@dataclass(frozen=True)
class Evidence:
    """The inputs of one verdict."""

    run_id: str
    gate: Gate
    suite: Suite
    suite_digest: str
    models: Mapping[str, str]
    """`champion` and `candidate` to their digests."""
    decoding: Mapping[str, Any]
    """How both models answered."""
    scorer: str
    """With its version."""
    level: Level
    seed: int
    items: tuple[ItemRow, ...]
    advisory: str = ""
    error: str = ""
    """Why there are no scores."""
    judge: Mapping[str, Any] = field(default_factory=dict)
    """The judge and its agreement with people, of a gate that it scores."""

    @cached_property
    def counts(self) -> GateCounts:
        """What the rows come to."""
        found = count(self.gate, self.items, self.level, seed=self.seed, suite_digest=self.suite_digest)
        labels = tuple(int(count) for count in self.judge.get("table", ()))
        said = {"advisory": self.advisory, "error": self.error or found.error, "judge_labels": labels}
        return found.model_copy(update=said)

    @cached_property
    def verdict(self) -> GateResult:
        return judge(self.gate, self.counts, self.level)

    def document(self) -> bytes:
        """The canonical JSON."""
        wire = {
            "schemaVersion": SCHEMA_VERSION,
            "runId": self.run_id,
            "gate": self.gate.to_wire(),
            "suite": self.suite.to_wire(),
            "suiteDigest": self.suite_digest,
            "models": dict(self.models),
            "decoding": dict(self.decoding),
            "scorer": self.scorer,
            "alpha": self.level.alpha,
            "look": self.level.look,
            "looksAllowed": self.level.of,
            "seed": self.seed,
            "items": [row.to_wire() for row in self.items],
            "advisory": self.advisory,
            "error": self.error,
            "judge": dict(self.judge),
            "counts": self.counts.to_wire(),
            "verdict": self.verdict.to_wire(),
        }
        return naming.canonical_json(wire).encode()

    @property
    def digest(self) -> str:
        return digest(self.document())

    def signed_counts(self) -> GateCounts:
        """The counts as the result carries them, with the document's digest."""
        return self.counts.model_copy(update={"evidence_digest": self.digest})

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> Evidence:
        """The inputs of a document; what it states of counts and verdict is not read. Raises ValueError."""
        if wire.get("schemaVersion") != SCHEMA_VERSION:
            raise ValueError(f"schemaVersion: is {wire.get('schemaVersion')}, this release reads {SCHEMA_VERSION}")
        try:
            return cls(
                run_id=str(wire["runId"]),
                gate=Gate.model_validate(wire["gate"]),
                suite=Suite.model_validate(wire["suite"]),
                suite_digest=str(wire["suiteDigest"]),
                models=wire["models"],
                decoding=wire["decoding"],
                scorer=str(wire["scorer"]),
                level=Level(float(wire["alpha"]), int(wire["look"]), int(wire["looksAllowed"])),
                seed=int(wire["seed"]),
                items=tuple(ItemRow.of(row) for row in wire["items"]),
                advisory=str(wire["advisory"]),
                error=str(wire["error"]),
                judge=wire["judge"],
            )
        except KeyError as error:
            raise ValueError(f"{error.args[0]}: is missing") from None
        except ValidationError as error:
            raise ValueError(f"the gate or its suite is not valid: {error.error_count()} errors") from None


def digest(document: bytes) -> str:
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def path(gate: str) -> str:
    """Where a gate's document lies below its run's prefix."""
    return f"gates/{gate}.json"
