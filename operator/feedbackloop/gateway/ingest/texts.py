"""The free texts and ids of an event, in one fixed order: out to the redactor, and back into the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.incoming import IncomingFeedback, IncomingUi, TrustedFeedback
from feedbackloop.events.records import Candidate, Exposure, Value
from feedbackloop.events.validation import Checked
from feedbackloop.gateway.core import Core

TEXT_KINDS = (SignalKind.COMMENT, SignalKind.CORRECTION)


class Stored(TypedDict, total=False):
    """The members of a record that came through the redactor."""

    value: Value
    turn_id: str
    detail: str
    ui: Exposure
    output_id: str
    candidates: tuple[Candidate, ...]
    response_id: str
    trace_id: str
    span_id: str


def private_texts(event: IncomingFeedback, checked: Checked) -> list[str]:
    """Everything that a person or an app wrote freely. Most events have nothing of the kind."""
    value = checked.value
    texts = [value] if checked.kind in TEXT_KINDS and isinstance(value, str) else []
    if event.turn_id is not None:
        texts.append(event.turn_id)
    if (detail := _detail(event)) is not None:
        texts.append(detail)
    if event.ui is not None:
        texts += _of_ui(event.ui)
    if isinstance(event, TrustedFeedback):
        texts += (checked.output_id, *(side.output_id for side in checked.candidates))
        texts += (event.response_id, event.trace_id, event.span_id)
    return texts


def _detail(event: IncomingFeedback) -> str | None:
    return event.new_output_id if event.goal is None else event.goal


def _of_ui(ui: IncomingUi) -> Sequence[str]:
    return (ui.exposure_id, ui.variant, ui.question_id, ui.trigger, *ui.reason_order)


class _Clean:
    """Gives the redacted texts in the order in which `private_texts` gave them out."""

    def __init__(self, core: Core, raw: Sequence[str], clean: Sequence[str]) -> None:
        self._core = core
        self._pairs: Iterator[tuple[str, str]] = zip(raw, clean, strict=True)

    def text(self) -> str:
        return next(self._pairs)[1]

    def id(self) -> str:
        return self._core.safe_id(*next(self._pairs))


def restored(core: Core, event: IncomingFeedback, checked: Checked, raw: list[str], clean: list[str]) -> Stored:
    """The redacted members of the record."""
    back, stored = _Clean(core, raw, clean), Stored()
    if checked.kind in TEXT_KINDS and isinstance(checked.value, str):
        stored["value"] = back.text()
    if event.turn_id is not None:
        stored["turn_id"] = back.id()
    if _detail(event) is not None:
        stored["detail"] = back.id()
    if event.ui is not None:
        stored["ui"] = _ui(event.ui, back)
    if isinstance(event, TrustedFeedback):
        stored["output_id"] = back.id()
        stored["candidates"] = tuple(Candidate(back.id(), side.position) for side in checked.candidates)
        stored["response_id"], stored["trace_id"], stored["span_id"] = back.id(), back.id(), back.id()
    return stored


def _ui(ui: IncomingUi, back: _Clean) -> Exposure:
    return Exposure(
        exposure_id=back.id(),
        variant=back.id(),
        question_id=back.id(),
        trigger=back.id(),
        reason_order=tuple(back.id() for _ in ui.reason_order),
        solicit_p=ui.solicit_p,
    )
