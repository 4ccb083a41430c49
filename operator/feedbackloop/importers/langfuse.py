"""Langfuse: scores of its public API (`GET /api/public/v2/scores`, or v3), with traces or observations for context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from feedbackloop.importers import conversation, saying
from feedbackloop.importers.model import (
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

SOURCE = "langfuse"
_SOURCES = {"API": "END_USER", "ANNOTATION": "ANNOTATOR", "EVAL": "LLM_JUDGE"}


def convert(scores: Iterable[Row], words: Vocabulary, traces: Iterable[Row] = ()) -> Iterator[Found]:
    """Scores to events, comments beside them, and the traces that scores are about to interactions."""
    known = _by_id(traces)
    told: set[str] = set()
    for score in scores:
        where, target = text(score.get("id")), _target(score, known)
        if not where or not target:
            yield Skipped(where or "?", "it has no id, or neither traceId nor observationId (a session's score)")
            continue
        if target in known and target not in told:
            told.add(target)
            yield _interaction(target, known)
        yield from _events(where, target, score, words, known)


def _by_id(traces: Iterable[Row]) -> dict[str, Row]:
    """Traces and observations, also those inside their trace."""
    found: dict[str, Row] = {}
    for trace in traces:
        if name := text(trace.get("id")):
            found[name] = trace
        for one in map(mapping, listed(trace.get("observations"))):
            if text(one.get("id")):
                found[text(one.get("id"))] = {"traceId": name, **one}
    return found


def _target(score: Row, known: Mapping[str, Row]) -> str:
    """What is called the output: the observation when there is one, else the whole trace."""
    observation, trace = text(score.get("observationId")), text(score.get("traceId"))
    return trace if trace in known and observation and observation not in known else observation or trace


def _trace_of(name: str, known: Mapping[str, Row]) -> Row:
    item = mapping(known.get(name))
    return mapping(known.get(text(item.get("traceId")))) or item


def _interaction(name: str, known: Mapping[str, Row]) -> Found:
    item, trace = known[name], _trace_of(name, known)
    asked, answer = conversation.messages(item.get("input")), conversation.answer(item.get("output"))
    if not asked or not answer:
        return Skipped(name, "interaction: the trace holds no question and answer as text")
    template, version = text(item.get("promptName")), item.get("promptVersion")
    context = present(
        model_version=text(item.get("model")),
        prompt_template=f"{template}@{version}" if template and version is not None else template,
        client=SOURCE,
    )
    session, subject = text(trace.get("sessionId")), text(trace.get("userId"))
    return interaction(SOURCE, name, session, asked, {name: answer}, subject_id=subject, context=context)


def _events(where: str, target: str, score: Row, words: Vocabulary, known: Mapping[str, Row]) -> Iterator[Found]:
    name, shared = text(score.get("name")), _shared(target, score, known)
    kind = text(mapping(words.named(name)).get("kind"))
    yield saying.named(words, name, _given(score, kind), where, shared | {"event_id": event_id(SOURCE, where)})
    if comment := text(score.get("comment")):
        body = shared | {"event_id": event_id(SOURCE, where, "comment")}
        yield saying.of_kind(words, "Comment", "comment", comment, where, body)


def _given(score: Row, kind: str) -> Any:
    """A label for kinds that have labels, else the number; BOOLEAN scores have both."""
    label, value = score.get("stringValue"), score.get("value")
    wants_label = kind in ("Reason", "Question", "Preference", "Comment", "Correction")
    if wants_label or value is None:
        return label if text(label) else value
    return value


def _shared(target: str, score: Row, known: Mapping[str, Row]) -> dict[str, Any]:
    trace = _trace_of(target, known)
    return {"output_id": target} | present(
        session_id=text(score.get("sessionId")) or text(trace.get("sessionId")),
        subject_id=text(score.get("authorUserId"))
        or text(mapping(score.get("trace")).get("userId"))
        or text(trace.get("userId")),
        occurred_at=moment(score.get("timestamp")),
        source=_SOURCES.get(text(score.get("source")), "END_USER"),
    )
