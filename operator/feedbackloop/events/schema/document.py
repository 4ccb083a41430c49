"""`docs/reference/events.md`, written from the structs, the kinds and the codes."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from feedbackloop.api.collection import CLASSES, Signal, SignalKind
from feedbackloop.events import incoming
from feedbackloop.events.incoming import MAX_EVENTS, MAX_LINES, IncomingFeedback, IncomingInteraction, TrustedFeedback
from feedbackloop.events.schema.descriptions import descriptions
from feedbackloop.events.schema.json_schema import BASE, FEEDBACK, INTERACTION, SIGNALS, public
from feedbackloop.events.schema.registry import FIELDS, levels, signal_entry
from feedbackloop.events.validation import MESSAGES, NOT_KEPT

HEAD = f"""# Events

Written by `make generate` from `events/incoming.py`, `events/schema` and `events/validation`; do not edit.

The same structs make the decoder and the published JSON Schemas (2020-12), which every gateway serves on both ports
without a token: `GET {BASE}{FEEDBACK}`, `{BASE}{INTERACTION}`, and the loop's own signals at `{BASE}{SIGNALS}`.
Fields evolve additively: a new one has a default, an old one keeps its meaning, and old records stay readable.

Unknown fields, wrong types and wrong forms are refused with a code and a JSON path; the row is kept, redacted, and
`feedbackloop badrows replay` takes it up again when the loop's schema is mended. A request carries one event,
`{{"events": […]}}` with at most {MAX_EVENTS}, or NDJSON at `/v1/feedback:batch` with at most {MAX_LINES} lines; the
path of an event in them begins with `$.events[i]` or `$.lines[i]` (counted from 0, blank lines left out).
"""
RULES = """
## Rules that JSON Schema does not say
- An integer is written without a fraction: `5`, not `5.0`.
- `occurred_at` is a moment that the calendar has. It is kept and never used for a decision.
- The sides of a preference, the outputs and the raters of an interaction differ from each other; nothing supersedes
  or replaces itself.
- With a feedback token: outputs are those of the token, `consent` can only withdraw, and a judgement of the whole
  session needs a token whose answer had a session. The subject, the session and the arm come from the token.
- On the app port an event names an output (`output_id`, `response_id`, or `trace_id` with `span_id`), known or not.
- A retraction has no value. It may leave out `candidates`.
- Ids and words that are stored pass the redactor: where something private is in one, a pseudonym of it is kept, the
  same one wherever it occurs.
"""


def text() -> str:
    """The whole page."""
    parts = [HEAD, _kinds(), _struct(IncomingFeedback, "A feedback event")]
    parts.append(_struct(TrustedFeedback, "On the app port", beyond=IncomingFeedback))
    parts += [_struct(model, f"`{public(model.__name__)}`") for model in _parts(IncomingFeedback)]
    parts.append(_struct(IncomingInteraction, "A posted interaction"))
    parts += [
        _struct(model, f"`{public(model.__name__)}`") for model in _parts(IncomingInteraction, incoming.ConsentBody)
    ]
    return "\n".join([*parts, _codes(), RULES.strip(), ""])


def _parts(model: type[Struct], *known: type[Struct]) -> list[type[Struct]]:
    """The structs that the fields of a struct mention."""
    mentioned = (inner for field in msgspec.structs.fields(model) for inner in _structs(field.type))
    return [part for part in dict.fromkeys(mentioned) if part not in known]


def _structs(kind: Any) -> list[type[Struct]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return [kind]
    return [found for part in typing.get_args(kind) for found in _structs(part)]


def _struct(model: type[Struct], title: str, beyond: type[Struct] | None = None) -> str:
    said, inherited = descriptions(model), set(beyond.__struct_fields__ if beyond else ())
    lines = [f"## {title}", "", (model.__doc__ or "").strip(), "", "| field | type | meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(model):
        if field.encode_name not in inherited:
            name = f"`{field.encode_name}`" + (" (required)" if field.required else "")
            lines.append(f"| {name} | {described(field.type)} | {said.get(field.name, '')} |")
    return "\n".join([*lines, ""])


_NAMES = {str: "text", bool: "true or false", int: "integer", float: "number", type(None): "null"}
_FORMS = {
    incoming.UUID_PATTERN: "UUID",
    incoming.TIME_PATTERN: "RFC 3339 time with an offset",
    incoming.TOKEN_PATTERN: "word of `A-Za-z0-9._:-`, at most 200",
}


def described(kind: Any) -> str:
    """A type in words."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _bounded(args[0], args[1])
    if origin in (typing.Union, types.UnionType):
        return ", ".join(dict.fromkeys(described(option) for option in args if option is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin is tuple:
        return f"list of {described(args[0])}"
    return _NAMES.get(kind) or f"`{public(kind.__name__)}`"


def _bounded(kind: Any, meta: Meta) -> str:
    if meta.pattern is not None:
        return _FORMS.get(meta.pattern, _FORMS[incoming.TOKEN_PATTERN] + " or empty")
    size = f"{meta.min_length or 0} to {meta.max_length}" if meta.max_length is not None else ""
    if kind is str:
        return f"text, {size} characters" if meta.min_length else f"text, at most {meta.max_length} characters"
    if typing.get_origin(kind) is tuple:
        return f"{described(kind)}, {size} of them"
    return f"{described(kind)} {_short(meta.ge)} to {_short(meta.le)}"


def _short(number: float | None) -> str:
    whole = int(number or 0)
    return {incoming.MAX_NUMBER: "2⁵³-1", -incoming.MAX_NUMBER: "-(2⁵³-1)"}.get(whole, str(whole))


def _kinds() -> str:
    lines = [
        "## Kinds of signals",
        "",
        "| kind | class | `$.value` | judges | further fields |",
        "|---|---|---|---|---|",
    ]
    for kind in SignalKind:
        entry = signal_entry(_example(kind))
        further = ", ".join(f"`{name}`" for name in FIELDS.get(kind, ()))
        judges = ", ".join(levels(kind)) if entry["levels"] else "computed by the server; refused from clients"
        lines.append(
            f"| {kind.value} | {CLASSES[kind].value} | {_value(kind, entry['value'])} | {judges} | {further} |"
        )
    return "\n".join([*lines, ""])


def _example(kind: SignalKind) -> Signal:
    values = ("code",) if kind is SignalKind.REASON else None
    return Signal(name="x", kind=kind, values=values, dimension="Style" if kind is SignalKind.QUESTION else None)


def _value(kind: SignalKind, schema: Any) -> str:
    special = {
        SignalKind.REASON: "a code of the signal's `values`",
        SignalKind.STARS: "integer 1 to the signal's `scaleMax` (5)",
        SignalKind.DWELL: "integer: milliseconds, stored as at most 3 600 000",
        SignalKind.COPY: "integer: characters",
        SignalKind.EDIT: "number 0 to 1: normalised edit distance, never text",
        SignalKind.CONVERSION: "a number; `goal` is one of the signal's `values` when it has any",
    }
    if kind in special:
        return special[kind]
    if schema is False:
        return ""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    words = {
        "boolean": "`true`, `false`",
        "null": "null or absent",
        "string": "text with words, at most 4096 characters",
    }
    return words[schema["type"]]


def _codes() -> str:
    lines = ["## Codes", "", "| code | meaning | kept as a bad row |", "|---|---|---|"]
    lines += [f"| `{code}` | {said} | {'no' if code in NOT_KEPT else 'yes'} |" for code, said in MESSAGES.items()]
    return "\n".join([*lines, ""])
