"""Consent when training starts, in every attempt: the ledger is read again, to its end.

Rows of people who refused after the data set was built are left out; what is left is what is trained on,
and its digest is reported. A checkpoint belongs to the rows it was trained on, so that the weights of
an earlier attempt never carry over what was withdrawn since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from feedbackloop.api.collection import Purpose
from feedbackloop.events.ledger.consents import Standings, State, forbidden
from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import ConsentWithdrawn, InvalidDataset


@dataclass(frozen=True)
class Allowed:
    """The rows that may be trained on."""

    data: bytes
    """`train.jsonl` without the withdrawn rows."""
    rows: int
    withdrawn: int

    @property
    def digest(self) -> str:
        return canonical.digest(self.data)


def allowed(rows: bytes, people: bytes | None, standings: Standings) -> Allowed:
    """What is left. Raises ConsentWithdrawn when nothing is, or when rows of an old data set name no people."""
    lines = [line for line in rows.splitlines(keepends=True) if line.strip()]
    if not lines:
        raise InvalidDataset("train.jsonl: there are no rows to train on")
    if people is None:
        _nobody_refused(standings)
        return Allowed(rows, len(lines), 0)
    behind = [json.loads(line) for line in people.splitlines() if line.strip()]
    if len(behind) != len(lines):
        raise InvalidDataset(f"subjects.jsonl: names the people of {len(behind)} rows, there are {len(lines)}")
    kept = [line for line, subjects in zip(lines, behind, strict=True) if _usable(subjects, standings)]
    if not kept:
        raise ConsentWithdrawn(f"all {len(lines)} rows are of people who have withdrawn their consent since")
    return Allowed(b"".join(kept), len(kept), len(lines) - len(kept))


def _usable(subjects: Sequence[tuple[str, int]], standings: Standings) -> bool:
    return not any(forbidden(standings, who, Purpose.IMPROVE, at) for who, at in subjects)


def _nobody_refused(standings: Standings) -> None:
    """A data set of an older version cannot tell whose its rows are."""
    if any(standing.state != State.GIVEN for (_, purpose), standing in standings.items() if purpose == Purpose.IMPROVE):
        raise ConsentWithdrawn(
            "somebody has refused consent, and this data set does not say whose its rows are; start a new run"
        )
