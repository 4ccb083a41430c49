"""The files of a data set as bytes, and the manifest that names it by its content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from feedbackloop.events.records import Message
from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate import consent
from feedbackloop.jobs.curate.kept import People, identity
from feedbackloop.jobs.curate.preferences import Pair
from feedbackloop.jobs.curate.rows import Row, Vote
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.ledger import as_json

if TYPE_CHECKING:
    from feedbackloop.jobs.curate.dataset import DataSet

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Bundle:
    """What is stored: plaintext files, and the manifest whose digest is the data set's name."""

    files: dict[str, bytes]
    manifest: bytes

    @property
    def digest(self) -> str:
        return canonical.digest(self.manifest)

    @property
    def prefix(self) -> str:
        return f"datasets/{canonical.sha256(self.manifest)}/"


def bundle(data: DataSet) -> Bundle:
    """Rows in an order that depends on their content only."""
    rows, people = _traced((_train(row), row.votes) for row in data.training.rows)
    items, behind = _items(data)
    pairs, raters = _traced((_pair(pair), pair.votes) for pair in data.pairs)
    files = {
        "train.jsonl": rows,
        "subjects.jsonl": people,
        "regressions.jsonl": items,
        "regression_subjects.jsonl": behind,
        "preferences.jsonl": pairs,
        "preference_subjects.jsonl": raters,
        "corrected_topics.json": canonical.encode(list(data.training.topics)),
        "excluded.jsonl": canonical.lines({"event_id": e.event.event_id, "reason": e.reason} for e in data.excluded),
        "computed.jsonl": canonical.lines(data.computed.lines()),
        "card.json": canonical.encode(card(data)),
    }
    return Bundle(files, canonical.encode(_manifest(files, data)))


def _manifest(files: dict[str, bytes], data: DataSet) -> dict[str, Any]:
    return {
        "schemaVersion": SCHEMA_VERSION,
        "config_digest": data.config.digest(),
        "files": [
            {"path": path, "sha256": canonical.sha256(content), "size": len(content)}
            for path, content in sorted(files.items())
        ],
        "counts": data.counts(),
        "ledger": as_json(data.heads),
    }


def card(data: DataSet) -> dict[str, Any]:
    """What a person wants to know of a data set; numbers only."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "configDigest": data.config.digest(),
        "counts": data.counts(),
        "funnel": [{"stage": stage, "events": left} for stage, left in data.funnel.items()],
        "excluded": data.reasons(),
        "slices": dict(data.slices),
        "agreement": data.raters.agreement,
        "ties": data.raters.ties,
        "computed": data.computed.counts(),
        "correctionDistance": data.computed.distances.summary(),
        "named": None if data.named is None else data.named.to_wire(),
    }


def _items(data: DataSet) -> tuple[bytes, bytes]:
    """Today's regression items and those of earlier data sets, and line by line the people behind them."""
    made = [(_item(row, data), consent.subjects(row.votes)) for row in data.training.regressions]
    items: list[tuple[GoldenItem, People]] = [*made, *data.kept]
    return _written((msgspec.to_builtins(item), people) for item, people in items)


def _traced(rows: Iterable[tuple[Any, Sequence[Vote]]]) -> tuple[bytes, bytes]:
    """Rows ordered by their content, and line by line the people behind them."""
    return _written((row, consent.subjects(votes)) for row, votes in rows)


def _written(rows: Iterable[tuple[Any, People]]) -> tuple[bytes, bytes]:
    lines = sorted((canonical.encode(row) + b"\n", canonical.encode(people) + b"\n") for row, people in rows)
    return b"".join(row for row, _ in lines), b"".join(people for _, people in lines)


def _train(row: Row) -> dict[str, Any]:
    return {"prompt": _messages(row.messages), "completion": [_assistant(row.text)]}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "prompt": _messages(pair.messages),
        "chosen": [_assistant(pair.chosen)],
        "rejected": [_assistant(pair.rejected)],
    }


def _item(row: Row, data: DataSet) -> GoldenItem:
    """The accepted text is the answer."""
    match = tuple(data.topics.match(row.topic))
    return GoldenItem(identity(row.topic, row.prompt.key), row.topic, row.messages, (row.text,), match)


def _messages(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
