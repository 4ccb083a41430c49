"""The published schema of what clients send: JSON Schema 2020-12 and documentation, both made from the structs."""

from feedbackloop.events.schema.json_schema import feedback_schema, interaction_schema
from feedbackloop.events.schema.registry import signal_entry, signals_document

__all__ = ["feedback_schema", "interaction_schema", "signal_entry", "signals_document"]
