"""Which run of a loop is under way: one at a time, the oldest first; and which wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]


def active_run(runs: Iterable[Json], loop: str) -> Json | None:
    """The run of that loop whose turn it is, of ImprovementRuns as the API server gives them.

    A run that has pinned its inputs goes before any other: creation times have whole seconds, so
    a younger run of the same second could otherwise overtake by its name one that has begun.
    """
    return min(_unfinished(runs, loop), key=_turn, default=None)


def newest_waiting(runs: Iterable[Json], loop: str, improvements: Iterable[str]) -> Json | None:
    """Of the runs that wait for the active one, the one that was created last and names one of these improvements."""
    known = set(improvements)
    waiting = sorted(_unfinished(runs, loop), key=_turn)[1:]
    able = [r for r in waiting if not _status(r).get("inputs") and r["spec"]["improvementName"] in known]
    return max(able, key=_turn, default=None)


def _unfinished(runs: Iterable[Json], loop: str) -> list[Json]:
    return [r for r in runs if r["spec"]["loopName"] == loop and not _status(r).get("outcome")]


def _turn(run: Json) -> tuple[bool, str, str]:
    metadata = run["metadata"]
    return (not _status(run).get("inputs"), str(metadata.get("creationTimestamp", "")), str(metadata["name"]))


def _status(run: Json) -> Json:
    return run.get("status") or {}
