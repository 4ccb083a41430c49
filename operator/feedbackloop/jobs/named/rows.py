"""A data set whose rows name nobody: every text goes through the engine once, every row has tokens of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from feedbackloop.api.jobs import NamedEntities
from feedbackloop.events.records import Message
from feedbackloop.events.typed_tokens import Names, tokens_in
from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate.dataset import DataSet
from feedbackloop.jobs.curate.preferences import Pair
from feedbackloop.jobs.curate.rows import Row
from feedbackloop.jobs.golden import question
from feedbackloop.jobs.named.engine import Engine, Found
from feedbackloop.jobs.named.pieces import find
from feedbackloop.jobs.text import normalise

Redact = Callable[[Sequence[str]], list[str]]
"""The texts of one row without names."""


def without_names(data: DataSet, engine: Engine) -> tuple[DataSet, NamedEntities]:
    """The data set with typed tokens for names, and how many there were.

    Which rows there are, and which questions are held out, was decided by the texts as they are: a golden
    question that names somebody is recognised before the name goes.
    """
    made = data.training
    rows = (*made.rows, *made.regressions)
    texts = list(dict.fromkeys([*_all(rows), *_all(data.pairs)]))
    found = dict(zip(texts, find(engine, texts), strict=True))
    counts: Counter[str] = Counter()

    def redact(texts: Sequence[str]) -> list[str]:
        names = Names(texts)
        return [_replaced(text, found[text], names, counts) for text in texts]

    corrections, replayed, regressions = (
        tuple(_row(row, redact) for row in part) for part in (made.corrections, made.replayed, made.regressions)
    )
    topics = own_topics(data, {row.topic: row for row in (*corrections, *replayed, *regressions)})
    training = replace(
        made,
        corrections=_renamed(corrections, topics),
        replayed=_renamed(replayed, topics),
        regressions=_renamed(regressions, topics),
        topics=tuple(sorted(topics.get(topic, topic) for topic in made.topics)),
    )
    pairs = tuple(_pair(pair, redact) for pair in data.pairs)
    report = NamedEntities(engine=engine.name, model=engine.model, replaced=dict(sorted(counts.items())))
    return replace(data, training=training, pairs=pairs), report


def own_topics(data: DataSet, rows: Mapping[str, Row]) -> dict[str, str]:
    """New names for topics that are a prompt's own words, where declared ones are names that the team gave.

    `rows` are rows without names by their topic. A topic without a row has nothing that a model could read (its
    words have lost their capitals), so that it gets a digest for a name.
    """
    topics = {*rows, *data.training.topics}
    own = sorted(topic for topic in topics if not data.topics.match(topic))
    return {topic: question(rows[topic].messages) if topic in rows else _digest(topic) for topic in own}


def _digest(topic: str) -> str:
    return f"topic {canonical.sha256(topic.encode())[:16]}"


def _all(rows: Iterable[Row | Pair]) -> Iterable[str]:
    for row in rows:
        yield from (message.content for message in row.messages)
        yield from (row.text,) if isinstance(row, Row) else (row.chosen, row.rejected)


def _renamed(rows: Iterable[Row], topics: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(replace(row, topic=topics.get(row.topic, row.topic)) for row in rows)


def _row(row: Row, redact: Redact) -> Row:
    *contents, text = redact([*(message.content for message in row.messages), row.text])
    return replace(row, messages=_messages(row.messages, contents), text=text)


def _pair(pair: Pair, redact: Redact) -> Pair:
    *contents, chosen, rejected = redact([*(message.content for message in pair.messages), pair.chosen, pair.rejected])
    return replace(pair, messages=_messages(pair.messages, contents), chosen=chosen, rejected=rejected)


def _messages(messages: Sequence[Message], contents: Sequence[str]) -> tuple[Message, ...]:
    return tuple(Message(message.role, content) for message, content in zip(messages, contents, strict=True))


def _replaced(text: str, found: Sequence[Found], names: Names, counts: Counter[str]) -> str:
    taken = list(tokens_in(text))
    parts: list[str] = []
    at = 0
    for each in found:
        if any(each.start < end and start < each.end for start, end in taken):
            continue
        value = normalise(text[each.start : each.end])
        parts += (text[at : each.start], names.token(each.kind, value))
        counts[each.kind] += 1
        at = each.end
    return "".join((*parts, text[at:]))
