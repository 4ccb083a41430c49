"""Whether a gate's stored document, the result that names it and the verdict in status follow from its rows."""

from __future__ import annotations

import json
from dataclasses import dataclass

from feedbackloop.api.improvementrun import GateResult
from feedbackloop.domain.gates.evidence import Evidence, digest


@dataclass(frozen=True)
class Recomputed:
    """A gate, computed again."""

    name: str
    evidence: Evidence | None
    agreed: tuple[str, ...] = ()
    """What was compared and is the same."""
    problems: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.evidence is not None and not self.problems


def recompute(
    name: str, document: bytes | None, in_result: str | None = None, in_status: GateResult | None = None
) -> Recomputed:
    """`in_result` is the evidence digest of `result.json`, `in_status` the verdict that the run decided by."""
    if document is None:
        return Recomputed(name, None, problems=(f"gates/{name}.json is not there",))
    try:
        made = Evidence.of(json.loads(document))
    except ValueError as error:
        return Recomputed(name, None, problems=(f"gates/{name}.json is no gate's evidence: {error}",))
    found = [
        ("counts and verdict follow from the rows, byte for byte", made.document() == document),
        ("it is the gate of that name", made.gate.name == name),
    ]
    if in_result is not None:
        found.append(("result.json names this document's digest", in_result == digest(document)))
    if in_status is not None:
        expected = made.verdict.model_copy(update={"evidence_digest": digest(document)})
        found.append(("the run's status has this very verdict", in_status == expected))
    agreed = tuple(what for what, holds in found if holds)
    return Recomputed(name, made, agreed, tuple(f"not so: {what}" for what, holds in found if not holds))
