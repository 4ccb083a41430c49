"""A refused event as it is kept: its ids made harmless, its hints used and forgotten, the rest redacted.

Ids that say who somebody is (`subject_id`, `session_id`, `tenant_id`, `raters`) become pseudonyms in place, so that
a row can be replayed in full and says nothing; other ids are kept as their records would keep them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedbackloop.events.incoming import MAX_HINTS, MAX_ID
from feedbackloop.gateway.core import Core, Harmless
from feedbackloop.gateway.ingest.bodies import known_id

_PEOPLE = {"subject_id": "subject", "session_id": "session", "tenant_id": "tenant"}
_IDS = ("output_id", "turn_id", "new_output_id", "parent_output_id", "response_id")
_LISTS = ("candidates", "outputs")


def harmless(core: Core, raw: Any, *, trusted: bool, known: Iterable[str] = ()) -> Harmless:
    """The event as it may be kept, apart from its texts; `known` are output ids of ours.

    Raises LogUnavailable when the scanner fails.
    """
    if not isinstance(raw, dict):
        return Harmless(raw)
    event_id, hiding = known_id(raw) or "", _Hiding(core, hints_of(raw), known)
    kept = {name: value for name, value in raw.items() if name != "redact_hints"}
    if trusted:
        hiding.people(kept)
    hiding.all_ids(kept)
    if event_id:
        hiding.ids.add(kept["event_id"])
    return Harmless(kept, hiding.hints, hiding.ids, event_id)


def hints_of(raw: dict[str, Any]) -> list[str]:
    """The usable ones among the hints of an event that may be malformed."""
    given = raw.get("redact_hints")
    listed = given[:MAX_HINTS] if isinstance(given, list) else []
    return [hint for hint in listed if isinstance(hint, str) and 2 <= len(hint) <= MAX_ID]


class _Hiding:
    """Replaces the ids of one event in place, and remembers what they became."""

    def __init__(self, core: Core, hints: list[str], known: Iterable[str]) -> None:
        self._core, self.hints = core, hints
        self.ids = set(known)

    def people(self, kept: dict[str, Any]) -> None:
        for name, kind in _PEOPLE.items():
            if isinstance(kept.get(name), str) and kept[name]:
                kept[name] = self._pseudonym(kind, kept[name])
        if isinstance(kept.get("raters"), list):
            kept["raters"] = [
                self._pseudonym("subject", rater) if isinstance(rater, str) else rater for rater in kept["raters"]
            ]

    def all_ids(self, kept: dict[str, Any]) -> None:
        for name in _IDS:
            if isinstance(kept.get(name), str):
                kept[name] = self._safe(kept[name])
        for name in _LISTS:
            if isinstance(kept.get(name), list):
                kept[name] = [self._with_safe_output(item) for item in kept[name]]

    def _with_safe_output(self, item: Any) -> Any:
        if isinstance(item, dict) and isinstance(item.get("output_id"), str):
            return item | {"output_id": self._safe(item["output_id"])}
        return item

    def _pseudonym(self, kind: str, value: str) -> str:
        made = self._core.keys.pseudonym_of(kind, value)
        self.ids.add(made)
        return made

    def _safe(self, value: str) -> str:
        if value in self.ids:
            return value
        made = self._core.safe_id(value, self._core.redact([value], self.hints)[0])
        self.ids.add(made)
        return made
