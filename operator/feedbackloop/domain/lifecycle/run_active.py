"""Which run of a loop is under way: one at a time, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]


def active_run(runs: Iterable[Json], loop: str) -> Json | None:
    """The run of that loop whose turn it is, of ImprovementRuns as the API server gives them.

    A run that has pinned its inputs goes before any other: creation times have whole seconds, so
    a younger run of the same second could otherwise overtake by its name one that has begun.
    """
    unfinished = [r for r in runs if r["spec"]["loopName"] == loop and not _status(r).get("outcome")]
    return min(unfinished, key=_turn, default=None)


def _turn(run: Json) -> tuple[bool, str, str]:
    metadata = run["metadata"]
    return (not _status(run).get("inputs"), str(metadata.get("creationTimestamp", "")), str(metadata["name"]))


def _status(run: Json) -> Json:
    return run.get("status") or {}
