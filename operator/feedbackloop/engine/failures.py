"""What an error is to the engine, and one log line each time a key's error changes.

Messages of bugs never carry values of objects: validation errors are reduced to their places.
"""

from __future__ import annotations

import logging
import traceback
from enum import StrEnum

from pydantic import ValidationError

from feedbackloop.domain.errors import Conflict, Transient, UserError
from feedbackloop.engine.keys import Key

_log = logging.getLogger("feedbackloop.engine")


class Family(StrEnum):
    USER = "User"
    TRANSIENT = "Transient"
    CONFLICT = "Conflict"
    BUG = "Bug"


def family(error: Exception) -> Family:
    """The family of an error."""
    if isinstance(error, UserError):
        return Family.USER
    if isinstance(error, Conflict):
        return Family.CONFLICT
    return Family.TRANSIENT if isinstance(error, Transient) else Family.BUG


def describe(error: Exception) -> str:
    """The error in one line, without values of objects."""
    if isinstance(error, ValidationError):
        places = [".".join(map(str, e["loc"])) + ": " + e["type"] for e in error.errors(include_input=False)]
        return f"{type(error).__name__}: {error.title}: {'; '.join(places[:8])}"
    return f"{type(error).__name__}: {error}"[:500]


class FailureLog:
    """Remembers each key's last error, so that a repeated one is counted but not repeated in the log."""

    def __init__(self) -> None:
        self._last: dict[Key, str] = {}

    def failed(self, key: Key, error: Exception) -> None:
        text = describe(error)
        if self._last.get(key) == text:
            return
        self._last[key] = text
        if family(error) is Family.BUG:
            # Frames only: the interpreter's own rendering of chained errors would print their messages in full.
            _log.error("bug key=%s error=%s\n%s", key, text, "".join(traceback.format_tb(error.__traceback__)).rstrip())
        elif family(error) is Family.CONFLICT:
            _log.info("conflict key=%s error=%s", key, text)
        else:
            _log.warning("failed key=%s error=%s", key, text)

    def recovered(self, key: Key) -> None:
        if self._last.pop(key, None) is not None:
            _log.info("recovered key=%s", key)
