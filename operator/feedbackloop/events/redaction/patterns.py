"""Patterns of the loop's own, compiled by RE2: time linear in the text, memory bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

import re2

from feedbackloop.events.redaction.detectors.detector import Span

MAX_MEMORY = 1 << 20
"""Bytes that RE2 may use for one pattern: about ten thousand states."""

_LOOK_AROUND = re.compile(r"\(\?<?[=!]")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=")


class Declared(Protocol):
    """A declared pattern: the token's name and the expression."""

    @property
    def name(self) -> str: ...
    @property
    def expression(self) -> str: ...


def check(expression: str) -> str | None:
    """Why an expression cannot be used, with the fix; None when it can."""
    if _LOOK_AROUND.search(expression):
        return "look-around is not supported: match the surroundings too, or leave them out"
    if _BACK_REFERENCE.search(expression):
        return "back-references are not supported: write the repeated part out"
    try:
        compiled = _compile(expression)
    except re2.error as error:
        return _reason(error)
    if any(match.end() == match.start() for sample in ("", "a1 b") for match in compiled.finditer(sample)):
        return "it matches the empty text: let it need at least one character"
    return None


def _reason(error: Exception) -> str:
    text = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
    if "too large" in text or "repetition" in text:
        return "it is too large: use smaller repetitions"
    return f"it is not a valid RE2 expression: {text.partition(':')[0]}"


def _compile(expression: str) -> re2._Regexp:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    return re2.compile(expression, options)


class OwnPattern:
    """One pattern, ready to be searched for."""

    def __init__(self, declared: Declared) -> None:
        self.name = declared.name
        self._compiled = _compile(declared.expression)

    def find(self, text: str) -> Iterator[Span]:
        """Spans of all matches that have any characters."""
        return (match.span() for match in self._compiled.finditer(text) if match.end() > match.start())


def compile_all(patterns: Sequence[Declared]) -> tuple[OwnPattern, ...]:
    """Raises ValueError with the pattern's name and the reason."""
    for pattern in patterns:
        reason = check(pattern.expression)
        if reason is not None:
            raise ValueError(f"redaction.patterns[{pattern.name}].expression: {reason}")
    return tuple(map(OwnPattern, patterns))
