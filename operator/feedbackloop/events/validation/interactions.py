"""A posted interaction: what the structs cannot say, and the context that the loop requires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from feedbackloop.api.collection import ContextField, ContextRules
from feedbackloop.events.incoming import IncomingContext, IncomingInteraction
from feedbackloop.events.validation.codes import Code, Refusal

_F = ContextField
_IN_CONTEXT = {
    _F.PROMPT_TEMPLATE: "prompt_template",
    _F.MODEL_VERSION: "model_version",
    _F.RETRIEVAL: "retrieval",
    _F.SEGMENT: "segment",
    _F.REGION: "region",
    _F.LOCALE: "locale",
    _F.CLIENT: "client",
}
_OF_EVENT = {
    _F.SESSION_ID: "session_id",
    _F.TURN_ID: "turn_id",
    _F.SUBJECT_ID: "subject_id",
    _F.TENANT: "tenant_id",
}
PATHS = {
    **{field: f"$.context.{name}" for field, name in _IN_CONTEXT.items()},
    **{field: f"$.{name}" for field, name in _OF_EVENT.items()},
    _F.OUTPUT_ID: "$.outputs",
}
"""Where a body says each field."""
_DROPPED = {_F.TURN_ID: "turn_id", _F.TENANT: "tenant_id"}
"""Fields outside the context that may be dropped; who speaks, and of what, is always needed."""


@dataclass(frozen=True)
class ContextPolicy:
    """`collection.context`, compiled: what an interaction must say, and what is kept of it."""

    required: tuple[tuple[str, Callable[[IncomingInteraction], object]], ...]
    dropped: frozenset[str]
    """Names of context members that are not kept."""
    dropped_ids: frozenset[str]

    @classmethod
    def of(cls, rules: ContextRules) -> ContextPolicy:
        listed = {*rules.required, *rules.optional}
        return cls(
            required=tuple((PATHS[field], _reader(field)) for field in rules.required),
            dropped=frozenset(name for field, name in _IN_CONTEXT.items() if listed and field not in listed),
            dropped_ids=frozenset(name for field, name in _DROPPED.items() if listed and field not in listed),
        )

    def missing(self, event: IncomingInteraction) -> Refusal | None:
        """The first required field that the interaction lacks."""
        for path, read in self.required:
            if not read(event):
                return Refusal(Code.MISSING_CONTEXT, path)
        return None

    def kept(self, event: IncomingInteraction) -> IncomingInteraction:
        """The interaction without the fields that the loop does not list."""
        if not self.dropped and not self.dropped_ids:
            return event
        context = IncomingContext(
            **{
                name: getattr(event.context, name)
                for name in IncomingContext.__struct_fields__
                if name not in self.dropped
            }
        )
        return msgspec.structs.replace(event, context=context, **dict.fromkeys(self.dropped_ids, ""))


def _reader(field: ContextField) -> Callable[[IncomingInteraction], object]:
    if field is _F.OUTPUT_ID:
        return lambda event: all(output.output_id for output in event.outputs)
    if field in _OF_EVENT:
        name = _OF_EVENT[field]
        return lambda event: getattr(event, name)
    inner = _IN_CONTEXT[field]
    return lambda event: getattr(event.context, inner)


def check_interaction(event: IncomingInteraction, policy: ContextPolicy) -> IncomingInteraction:
    """The interaction as it may be stored, apart from redaction. Raises Refusal."""
    _distinct([output.output_id for output in event.outputs], "$.outputs[{}].output_id")
    _distinct(event.raters, "$.raters[{}]")
    if event.parent_output_id and any(event.parent_output_id == output.output_id for output in event.outputs):
        raise Refusal(Code.BAD_VALUE, "$.parent_output_id")
    missing = policy.missing(event)
    if missing is not None:
        raise missing
    return policy.kept(event)


def _distinct(ids: Sequence[str], path: str) -> None:
    for index, value in enumerate(ids):
        if value in ids[:index]:
            raise Refusal(Code.BAD_VALUE, path.format(index))
