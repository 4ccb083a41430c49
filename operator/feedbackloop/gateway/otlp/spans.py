"""A GenAI span, or the log event of one, to the body of `POST /v1/interactions` (pure)."""

from __future__ import annotations

from typing import Any

from feedbackloop.gateway.otlp.attributes import OURS, identity, text, whose
from feedbackloop.gateway.otlp.messages import Conversation, conversation, current, parsed
from feedbackloop.gateway.otlp.model import Attributes, LogEntry, SpanEntry

OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
DETAILS = "gen_ai.client.inference.operation.details"
"""The log event that carries a span's content where spans must stay small."""

Body = dict[str, Any]


def interaction(span: SpanEntry) -> Body | None:
    """The interaction of a span, None when it has none: another operation, or content is not captured."""
    if span.attributes.get("gen_ai.operation.name") not in OPERATIONS:
        return None
    return _body(span.attributes, conversation(span), span.trace_id, span.span_id)


def logged_interaction(entry: LogEntry) -> Body | None:
    """The same of a log event."""
    return _body(entry.attributes, current(entry.attributes), entry.trace_id, entry.span_id)


def _body(given: Attributes, found: Conversation, trace_id: str, span_id: str) -> Body | None:
    first = text(given, f"{OURS}output_id", "gen_ai.response.id") or _by_span(trace_id, span_id)
    if not found.answers or not found.asked or not first:
        return None
    names = [first, *(f"{first}.{index}" for index in range(1, len(found.answers)))]
    body: Body = {
        "event_id": text(given, f"{OURS}event_id") or identity("span", trace_id, span_id, first),
        "session_id": "",
        **whose(given),
        "messages": [{"role": said.role, "content": said.content} for said in found.asked],
        "outputs": [{"output_id": name, "content": answer} for name, answer in zip(names, found.answers, strict=True)],
        "context": _context(given),
    }
    extra = {
        "turn_id": text(given, f"{OURS}turn_id"),
        "response_id": text(given, "gen_ai.response.id"),
        "trace_id": trace_id,
        "span_id": span_id,
    }
    return body | {name: value for name, value in extra.items() if value}


def _by_span(trace_id: str, span_id: str) -> str:
    return f"{trace_id}-{span_id}" if trace_id and span_id else ""


def _context(given: Attributes) -> Body:
    template, version = text(given, "gen_ai.prompt.name"), text(given, f"{OURS}prompt.version")
    context: Body = {
        "prompt_template": f"{template}@{version}" if template and version else template,
        "model_version": text(given, f"{OURS}model_version", "gen_ai.response.model", "gen_ai.request.model"),
        "retrieval": _documents(given.get("gen_ai.retrieval.documents")),
    }
    context |= {name: text(given, f"{OURS}{name}") for name in ("segment", "region", "locale", "client")}
    return {name: value for name, value in context.items() if value}


def _documents(value: Any) -> list[str]:
    listed = parsed(value)
    ids = [item.get("id") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [found for found in ids if isinstance(found, str) and found][:100]
