"""A refused event as it is kept: its ids made harmless, its hints used and forgotten, the rest redacted.

Ids that say who somebody is (`subject_id`, `session_id`, `tenant_id`, `raters`) become pseudonyms in place, so that
a row can be replayed in full and says nothing; other ids are kept as their records would keep them.
"""

from __future__ import annotations

from typing import Any

from feedbackloop.events.incoming import MAX_HINTS, MAX_ID
from feedbackloop.gateway.core import Core

_PEOPLE = {"subject_id": "subject", "session_id": "session", "tenant_id": "tenant"}
_IDS = ("output_id", "turn_id", "new_output_id", "parent_output_id", "response_id")
_LISTS = ("candidates", "outputs")


def harmless(core: Core, raw: Any, *, trusted: bool) -> tuple[Any, list[str]]:
    """The event without private ids, and its hints. Raises LogUnavailable when the scanner fails."""
    if not isinstance(raw, dict):
        return raw, []
    kept = {name: value for name, value in raw.items() if name != "redact_hints"}
    if trusted:
        _hide_people(core, kept)
    _hide_ids(core, kept)
    return kept, hints_of(raw)


def hints_of(raw: dict[str, Any]) -> list[str]:
    """The usable ones among the hints of an event that may be malformed."""
    given = raw.get("redact_hints")
    listed = given[:MAX_HINTS] if isinstance(given, list) else []
    return [hint for hint in listed if isinstance(hint, str) and 2 <= len(hint) <= MAX_ID]


def _hide_people(core: Core, kept: dict[str, Any]) -> None:
    for name, kind in _PEOPLE.items():
        if isinstance(kept.get(name), str) and kept[name]:
            kept[name] = core.keys.pseudonym_of(kind, kept[name])
    if isinstance(kept.get("raters"), list):
        kept["raters"] = [core.keys.pseudonym_of("subject", r) if isinstance(r, str) else r for r in kept["raters"]]


def _hide_ids(core: Core, kept: dict[str, Any]) -> None:
    for name in _IDS:
        if isinstance(kept.get(name), str):
            kept[name] = _safe(core, kept[name])
    for name in _LISTS:
        if isinstance(kept.get(name), list):
            kept[name] = [_with_safe_output(core, item) for item in kept[name]]


def _with_safe_output(core: Core, item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("output_id"), str):
        return item | {"output_id": _safe(core, item["output_id"])}
    return item


def _safe(core: Core, value: str) -> str:
    return core.safe_id(value, core.redact([value])[0])
