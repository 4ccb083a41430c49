"""What both models did on one item, as it is stored: scores and digests, never text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Score = bool | float | None
"""Right or wrong, or a number in the metric's unit; None when the item could not be scored."""

NAMED = 3
"""Items that a message names at most."""


@dataclass(frozen=True)
class ItemRow:
    """One item of a suite."""

    id: str
    champion: Score
    candidate: Score
    intent: str = ""
    """Items that share it are one cluster; empty: the item is a cluster of its own."""
    champion_answer: str = ""
    """The digest of the champion's answer."""
    candidate_answer: str = ""

    def to_wire(self) -> dict[str, Any]:
        """The row of the canonical JSON."""
        wire = {
            "id": self.id,
            "champion": _finite(self.champion),
            "candidate": _finite(self.candidate),
            "intent": self.intent,
            "championAnswer": self.champion_answer,
            "candidateAnswer": self.candidate_answer,
        }
        return {name: value for name, value in wire.items() if value != ""}

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> ItemRow:
        """The row of a canonical JSON. Raises ValueError when it is none."""
        try:
            return cls(
                id=str(wire["id"]),
                champion=_score(wire["champion"]),
                candidate=_score(wire["candidate"]),
                intent=str(wire.get("intent", "")),
                champion_answer=str(wire.get("championAnswer", "")),
                candidate_answer=str(wire.get("candidateAnswer", "")),
            )
        except KeyError as error:
            raise ValueError(f"items: a row has no {error.args[0]}") from None

    @property
    def unscored(self) -> bool:
        return any(score is None or not math.isfinite(score) for score in (self.champion, self.candidate))

    @property
    def gained(self) -> bool:
        """Only the candidate is right."""
        return self.candidate is True and self.champion is False

    @property
    def lost(self) -> bool:
        """Only the champion is right."""
        return self.champion is True and self.candidate is False


def clusters(rows: Iterable[ItemRow]) -> dict[str, list[ItemRow]]:
    """Rows by intent, in an order that does not depend on the rows' own."""
    found: dict[str, list[ItemRow]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        # An item's id cannot be taken for another's intent.
        found.setdefault(f"intent {row.intent}" if row.intent else f"item {row.id}", []).append(row)
    return {key: found[key] for key in sorted(found)}


def clustered(rows: Sequence[ItemRow]) -> bool:
    """Whether some items share an intent, so that they are no independent observations."""
    return len(clusters(rows)) < len(rows)


def named(rows: Sequence[ItemRow]) -> str:
    """The first ids, for a message."""
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return ", ".join(row.id for row in rows[:NAMED]) + more


def _finite(score: Score) -> Score:
    """JSON has no NaN."""
    return None if score is not None and not math.isfinite(score) else score


def _score(value: Any) -> Score:
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError("items: a score is true, false, a number or null")
