"""Sends what an importer found: interactions one by one, events fifty at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from feedbackloop.client import Refused, Result
from feedbackloop.importers.model import Event, Found, Interaction, Skipped

BATCH = 50


class Door(Protocol):
    """Where things go: the client, or nowhere in a dry run."""

    def interaction(self, body: dict[str, Any]) -> dict[str, Any]: ...
    def events(self, events: list[dict[str, Any]]) -> Result: ...


@dataclass
class Summary:
    """What became of an import. `refused` and `skipped` name rows of the source, or event ids, with the reason."""

    interactions: int = 0
    events: int = 0
    duplicate: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.refused and not self.skipped


def run(found: Iterable[Found], door: Door, progress: Callable[[Summary], None] = lambda _: None) -> Summary:
    """Sends everything, in order; `progress` is called after each request. Raises FeedbackError."""
    summary, waiting = Summary(), list[dict[str, Any]]()
    for each in found:
        if isinstance(each, Skipped):
            summary.skipped.append(each)
        elif isinstance(each, Interaction):
            _interaction(each.body, door, summary)
            progress(summary)
        elif isinstance(each, Event):
            waiting.append(each.body)
            if len(waiting) == BATCH:
                _events(waiting, door, summary)
                waiting.clear()
                progress(summary)
    _events(waiting, door, summary)
    progress(summary)
    return summary


def _interaction(body: dict[str, Any], door: Door, summary: Summary) -> None:
    try:
        answer = door.interaction(body)
    except Refused as error:
        if error.status != 422:
            raise
        summary.refused.append((body["event_id"], f"interaction: {error.code} at {error.path}"))
        return
    summary.duplicate += bool(answer.get("duplicate"))
    summary.interactions += not answer.get("duplicate")


def _events(bodies: list[dict[str, Any]], door: Door, summary: Summary) -> None:
    if not bodies:
        return
    result = door.events(bodies)
    summary.events += result.accepted
    summary.duplicate += result.duplicate
    summary.refused += [(one.event_id, f"{one.code} at {one.path}") for one in result.rejected]
