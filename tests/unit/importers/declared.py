"""A loop's signals as its gateway lists them, and the sample exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from feedbackloop.api.collection import Signal
from feedbackloop.events.schema import signals_document
from feedbackloop.importers.model import Event, Found, Interaction, Skipped
from feedbackloop.importers.vocabulary import Vocabulary

SAMPLES = Path(__file__).parent / "samples"
SIGNALS = [
    {"name": "helpful", "kind": "Thumbs"},
    {"name": "rating", "kind": "Stars"},
    {"name": "why", "kind": "Reason", "values": ["inaccurate", "style", "other"]},
    {"name": "note", "kind": "Comment"},
    {"name": "fix", "kind": "Correction"},
    {"name": "prefer", "kind": "Preference"},
]
DOCUMENT = json.loads(json.dumps(signals_document([Signal.model_validate(signal) for signal in SIGNALS])))


def words(**names: str) -> Vocabulary:
    """The vocabulary with a map of names (`_` for `-`)."""
    return Vocabulary(DOCUMENT["signals"], {name.replace("_", "-"): signal for name, signal in names.items()})


def parts(found: list[Found]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, list[str]]]:
    """Interactions, events, and the reasons of skipped rows by row."""
    skipped: dict[str, list[str]] = {}
    for each in found:
        if isinstance(each, Skipped):
            skipped.setdefault(each.where, []).append(each.why)
    interactions = [each.body for each in found if isinstance(each, Interaction)]
    return interactions, [each.body for each in found if isinstance(each, Event)], skipped
