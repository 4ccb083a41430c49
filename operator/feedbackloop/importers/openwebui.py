"""Open WebUI: `GET /api/v1/evaluations/feedbacks/all/export`, a list of ratings, each with its chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from feedbackloop.importers import saying
from feedbackloop.importers.conversation import content
from feedbackloop.importers.model import (
    MAX_OUTPUTS,
    Event,
    Found,
    Row,
    Skipped,
    event_id,
    interaction,
    listed,
    mapping,
    moment,
    present,
    text,
)
from feedbackloop.importers.vocabulary import Vocabulary

SOURCE = "open-webui"
_LONGEST_CHAT = 500


def convert(rows: Iterable[Row], words: Vocabulary) -> Iterator[Found]:
    """Ratings to votes with reason and comment, arena ratings to preferences, chats to interactions."""
    for row in rows:
        where = text(row.get("id"))
        message_id = text(mapping(row.get("meta")).get("message_id"))
        if not where or not message_id:
            yield Skipped(where or "?", "it has no id, or no meta.message_id to say what was rated")
            continue
        yield from _row(where, message_id, row, words)


def _row(where: str, message_id: str, row: Row, words: Vocabulary) -> Iterator[Found]:
    history, data = _history(row), mapping(row.get("data"))
    siblings = _siblings(history, message_id)
    yield _interaction(where, message_id, siblings, row, history)
    given = {"rating": ("Thumbs", data.get("rating"))}
    given |= {"reason": ("Reason", said)} if (said := text(data.get("reason"))) else {}
    given |= {"comment": ("Comment", said)} if (said := text(data.get("comment"))) else {}
    for part, (kind, value) in given.items():
        body = _body(where, part, row) | {"output_id": message_id}
        yield saying.of_kind(words, kind, part, value, where, body)
    if listed(data.get("sibling_model_ids")):
        yield _preference(where, message_id, siblings, row, words)


def _preference(where: str, message_id: str, siblings: list[str], row: Row, words: Vocabulary) -> Found:
    """A rated answer against the one other that was shown: the rating says which is better."""
    signal, rating = words.of_kind("Preference", "arena"), str(mapping(row.get("data")).get("rating"))
    if signal is None:
        return saying.missing(where, "Preference", "arena")
    if len(siblings) != 2:
        return Skipped(where, f"arena: a preference is between two answers, the snapshot has {len(siblings)}")
    if rating not in ("1", "-1"):
        return Skipped(where, "arena: the rating is neither 1 nor -1")
    first_won = (siblings[0] == message_id) == (rating == "1")
    sides = [{"output_id": side, "position": place} for place, side in enumerate(siblings)]
    said = {"signal": signal["name"], "value": "a" if first_won else "b", "candidates": sides}
    return Event(_body(where, "arena", row) | said)


def _body(where: str, part: str, row: Row) -> dict[str, Any]:
    """A rating that was changed is another event: the newest one of a subject holds."""
    changed = row.get("updated_at", row.get("created_at"))
    return {"event_id": event_id(SOURCE, where, changed, part)} | present(
        subject_id=text(row.get("user_id")),
        session_id=text(mapping(row.get("meta")).get("chat_id")),
        occurred_at=moment(changed),
    )


def _history(row: Row) -> Row:
    """The snapshot's messages by id."""
    chat = mapping(mapping(mapping(row.get("snapshot")).get("chat")).get("chat"))
    found = mapping(mapping(chat.get("history")).get("messages"))
    return found or {text(mapping(one).get("id")): one for one in listed(chat.get("messages"))}


def _siblings(history: Row, message_id: str) -> list[str]:
    """The answers that were given to the same message, as they were shown, the rated one among them."""
    parent = mapping(history.get(text(mapping(history.get(message_id)).get("parentId"))))
    found = [
        one for one in listed(parent.get("childrenIds")) if text(mapping(history.get(one)).get("role")) == "assistant"
    ]
    return found if message_id in found else [message_id]


def _interaction(where: str, message_id: str, siblings: list[str], row: Row, history: Row) -> Found:
    asked = _asked(history, message_id)
    shown = [one for one in siblings if content(history.get(one))][:MAX_OUTPUTS]
    if not asked or message_id not in shown:
        return Skipped(where, "interaction: the snapshot does not hold the rated message and what was asked")
    chat = mapping(mapping(row.get("snapshot")).get("chat"))
    return interaction(
        SOURCE,
        message_id,
        text(mapping(row.get("meta")).get("chat_id")),
        asked,
        {one: content(history.get(one)) for one in shown},
        subject_id=text(chat.get("user_id")),
        context=present(model_version=text(mapping(history.get(message_id)).get("model")), client=SOURCE),
    )


def _asked(history: Row, message_id: str) -> list[dict[str, str]]:
    """The messages from the chat's first to the one before the answer."""
    path: list[dict[str, str]] = []
    at = text(mapping(history.get(message_id)).get("parentId"))
    seen: set[str] = set()
    while at and at in history and at not in seen and len(path) < _LONGEST_CHAT:
        seen.add(at)
        message = mapping(history[at])
        path.append({"role": text(message.get("role")) or "user", "content": content(message)})
        at = text(message.get("parentId"))
    return path[::-1]
