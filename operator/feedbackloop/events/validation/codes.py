"""Why an event was refused. Messages are fixed texts; nothing of the input is ever in them."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why an event was refused."""

    UNKNOWN_SIGNAL = "unknown_signal"
    COMPUTED_SIGNAL = "computed_signal"
    BAD_VALUE = "bad_value"
    MISSING_FIELD = "missing_field"
    MISSING_CONTEXT = "missing_context"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_OUTPUT = "unknown_output"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    PRIVACY_SIGNAL = "privacy_signal"


MESSAGES = {
    Code.UNKNOWN_SIGNAL: "the loop declares no signal of this name",
    Code.COMPUTED_SIGNAL: "the server computes signals of this kind itself",
    Code.BAD_VALUE: "the value does not fit the signal's kind",
    Code.MISSING_FIELD: "a required field is missing",
    Code.MISSING_CONTEXT: "the loop requires this context of every interaction",
    Code.UNKNOWN_FIELD: "the schema has no such field here",
    Code.UNKNOWN_OUTPUT: "the token is not about this output",
    Code.MALFORMED: "wrong type or form",
    Code.TOO_LARGE: "larger than allowed",
    Code.CONFLICT: "this event_id was used before with another body",
    Code.FORBIDDEN: "verified feedback needs an annotator's token",
    Code.PRIVACY_SIGNAL: "not stored, because the browser asks for privacy",
}

NOT_KEPT = frozenset({Code.FORBIDDEN, Code.PRIVACY_SIGNAL})
"""Refusals that leave no bad row: nobody may replay them."""


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """An event that is not accepted; except for `NOT_KEPT` it becomes a bad row."""

    def __init__(self, code: Code, path: str) -> None:
        super().__init__(f"{code} at {path}")
        self.code, self.path = code, path

    @property
    def message(self) -> str:
        return MESSAGES[self.code]

    def below(self, parent: str) -> Refusal:
        """The same refusal, its path (which starts with `$`) moved below a parent."""
        return Refusal(self.code, parent + self.path[1:])
