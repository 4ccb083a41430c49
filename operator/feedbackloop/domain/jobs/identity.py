"""The identity of a stage: its spec as canonical bytes, their digest, and the run id made from them.

The run id hashes the whole spec but itself: the same inputs are the same run (and find its
checkpoints and its result), different bytes never share a prefix in storage. Time and attempt
are no inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.jobs import JobSpec
from feedbackloop.domain import naming


@dataclass(frozen=True)
class Rendered:
    """A spec as the pod reads it."""

    run_id: str
    text: str
    """The bytes of spec.json."""
    digest: str
    """Their sha256, prefixed `sha256:`."""


def render(spec: JobSpec) -> Rendered:
    """The spec with its run id, as bytes with their digest."""
    run_id = naming.run_id(spec.stage, spec.model_copy(update={"run_id": ""}).to_wire())
    wire = spec.model_copy(update={"run_id": run_id}).to_wire()
    return Rendered(run_id, naming.canonical_json(wire), f"sha256:{naming.sha256_hex(wire)}")
