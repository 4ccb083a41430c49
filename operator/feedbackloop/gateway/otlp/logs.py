"""`gen_ai.evaluation.result` to the events of `POST /v1/feedback` (pure).

One log event may say several things: a vote in its score, a reason in its label, a comment in its
explanation, a correction in ours. Each becomes an event of its own, with an id made from the first one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.gateway.otlp.attributes import OURS, flag, identity, number, text, texts, whose
from feedbackloop.gateway.otlp.model import Attributes, LogEntry
from feedbackloop.gateway.otlp.names import Names

RESULT = "gen_ai.evaluation.result"
_EVALUATION = "gen_ai.evaluation."
_SCORE, _LABEL, _EXPLANATION = (f"{_EVALUATION}{name}" for name in ("score.value", "score.label", "explanation"))
_YES = frozenset({"true", "yes", "up", "thumbs_up", "good", "pass", "positive", "correct", "accepted"})
_NO = frozenset({"false", "no", "down", "thumbs_down", "bad", "fail", "negative", "incorrect", "rejected"})
_CARRIED = ("turn_id", "level", "supersedes", "retracted", "goal", "fraction", "new_output_id", "occurred_at")
"""Fields of an event that our attributes carry under the same name."""
_COMPANIONS_KEEP = frozenset(
    {"subject_id", "session_id", "consent", "output_id", "response_id", "trace_id", "span_id", "source", "occurred_at"}
)
_K = SignalKind

Body = dict[str, Any]


def name_of(entry: LogEntry) -> str:
    """A log record's event name; before it had a field of its own it was an attribute."""
    return entry.name or text(entry.attributes, "event.name")


def feedback(entry: LogEntry, names: Names) -> list[Body]:
    """The events of a record, at least one: what cannot be mapped is left for validation to refuse."""
    given = entry.attributes
    told = text(given, f"{OURS}signal", f"{_EVALUATION}name")
    signal = names.find(told)
    shared = _shared(entry)
    first: Body = {"event_id": text(given, f"{OURS}event_id") or _identity(entry), "signal": told}
    first |= {"value": given.get(f"{OURS}value", given.get(_SCORE, text(given, _LABEL) or None))}
    if signal is None:
        return [first | shared]
    first |= {"signal": signal.name, "value": _value(signal.kind, entry)} | _sides(signal.kind, given)
    return [first | shared, *_companions(first["event_id"], signal, entry, names, shared)]


def unmapped(entry: LogEntry, made: list[Body]) -> bool:
    """Whether an explanation was given that the loop declares no comment for, so that it is not kept."""
    explanation = text(entry.attributes, _EXPLANATION)
    return bool(explanation) and all(body.get("value") != explanation for body in made)


def _identity(entry: LogEntry) -> str:
    """The same for an exporter's every retry, another for every other event."""
    said = {name: value for name, value in entry.attributes.items() if name.startswith((OURS, "gen_ai."))}
    return identity(entry.trace_id, entry.span_id, name_of(entry), entry.time_ns, said, entry.body)


def _shared(entry: LogEntry) -> Body:
    given = entry.attributes
    shared: Body = whose(given)
    answer = {
        "output_id": text(given, f"{OURS}output_id"),
        "response_id": text(given, "gen_ai.response.id"),
        "trace_id": entry.trace_id,
        "span_id": entry.span_id,
    }
    shared |= {name: value for name, value in answer.items() if value}
    for name in _CARRIED:
        if (value := given.get(OURS + name)) is not None:
            shared[name] = flag(given, OURS + name) if name == "retracted" else value
    if source := text(given, f"{OURS}source.type"):
        shared["source"] = source
    return shared


class _Told(NamedTuple):
    """What a record says, however its exporter put it."""

    score: Any
    label: str | None
    explanation: str | None
    correction: str | None
    body: str | None


def _told(entry: LogEntry) -> _Told:
    given = entry.attributes
    ours = flag(given, f"{OURS}value")
    text_of_ours = ours if isinstance(ours, str) else None
    return _Told(
        score=given.get(_SCORE) if ours is None else ours,
        label=text(given, _LABEL) or text_of_ours,
        explanation=text_of_ours or text(given, _EXPLANATION) or None,
        correction=text_of_ours or text(given, f"{OURS}correction") or None,
        body=entry.body if isinstance(entry.body, str) and entry.body else None,
    )


_VALUES: dict[SignalKind, Callable[[_Told], Any]] = {
    **dict.fromkeys((_K.THUMBS, _K.ACCEPT), lambda told: _truth(told.score, told.label)),
    **dict.fromkeys((_K.STARS, _K.DWELL, _K.COPY), lambda told: number(told.score)),
    **dict.fromkeys((_K.EDIT, _K.CONVERSION, _K.FOLLOW_UP, _K.ABANDONMENT), lambda told: told.score),
    **dict.fromkeys((_K.REASON, _K.PREFERENCE), lambda told: told.label),
    _K.QUESTION: lambda told: told.label or _answer(told.score),
    _K.COMMENT: lambda told: told.explanation or told.body,
    _K.CORRECTION: lambda told: told.correction or told.body,
}


def _value(kind: SignalKind, entry: LogEntry) -> Any:
    """The value as the kind has it; None for kinds without one."""
    read = _VALUES.get(kind)
    return read(_told(entry)) if read else None


def _answer(score: Any) -> Any:
    truth = _truth(score, None)
    return ("yes" if truth else "no") if isinstance(truth, bool) else score


def _truth(score: Any, label: Any) -> Any:
    """A vote as a boolean; what is neither 1 nor 0 stays what it is, for validation to refuse."""
    if score is None and isinstance(label, str):
        word = label.lower()
        return True if word in _YES else False if word in _NO else label
    return bool(score) if isinstance(score, int | float) and score in (0, 1) else score


def _sides(kind: SignalKind, given: Attributes) -> Body:
    """Of a preference: `feedbackloop.candidates` are two output ids, a first, `…positions` where each was shown."""
    if kind is not _K.PREFERENCE:
        return {}
    sides, positions = texts(given.get(f"{OURS}candidates")), given.get(f"{OURS}positions")
    places = positions if isinstance(positions, list) and len(positions) == len(sides) else range(len(sides))
    return {"candidates": [{"output_id": side, "position": place} for side, place in zip(sides, places, strict=True)]}


def _companions(event_id: str, signal: Signal, entry: LogEntry, names: Names, shared: Body) -> Iterator[Body]:
    """What else the record says, where the loop declares a signal for it."""
    dimension = signal.dimension or ""
    rest = {name: value for name, value in shared.items() if name in _COMPANIONS_KEEP}
    for kind, value in _said_too(signal, entry):
        other = names.only(kind, dimension)
        if (
            other is not None
            and other.kind is not signal.kind
            and (kind is not _K.REASON or value in (other.values or ()))
        ):
            yield {"event_id": identity(event_id, other.name), "signal": other.name, "value": value} | rest


def _said_too(signal: Signal, entry: LogEntry) -> Iterator[tuple[SignalKind, str]]:
    given = entry.attributes
    if explanation := text(given, _EXPLANATION):
        yield _K.COMMENT, explanation
    if correction := text(given, f"{OURS}correction"):
        yield _K.CORRECTION, correction
    if (label := text(given, _LABEL)) and signal.kind in (_K.THUMBS, _K.STARS, _K.ACCEPT):
        yield _K.REASON, label
