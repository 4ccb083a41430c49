"""The loop's signals as importers see them: which one a source's name means, and which value fits it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from feedbackloop.importers.model import Row, listed, mapping

_YES = frozenset({"true", "yes", "1", "up", "good", "pass", "positive", "correct", "thumbs_up", "thumbsup"})
_NO = frozenset({"false", "no", "0", "-1", "down", "bad", "fail", "negative", "incorrect", "thumbs_down", "thumbsdown"})
REASONS = {
    "not_factually_correct": "inaccurate",
    "dont_like_the_style": "style",
    "too_verbose": "style",
    "not_helpful": "irrelevant",
    "didnt_fully_follow_instructions": "incomplete",
    "being_lazy": "incomplete",
    "refused_when_it_shouldnt_have": "refused",
}
"""Codes of other tools by the usual name of the same reason."""


class Unfit(Exception):  # noqa: N818 - an answer, not an error
    """A value that a signal cannot have; the message says why, without the value."""


class Vocabulary:
    """Declared signals by name and kind, as `signals.json` lists them, with the user's own map of names."""

    def __init__(self, signals: Sequence[Row], names: Mapping[str, str] | None = None) -> None:
        self._signals = {str(signal["name"]): signal for signal in signals}
        self._names = dict(names or {})

    def named(self, name: str) -> Row | None:
        """The signal that a source's name means: by the map, or of the same name."""
        return self._signals.get(self._names.get(name, name))

    def of_kind(self, kind: str, name: str = "") -> Row | None:
        """The signal of a kind: by the map, else the only one of that kind."""
        if name in self._names:
            return self._signals.get(self._names[name])
        found = [signal for signal in self._signals.values() if signal.get("kind") == kind]
        return found[0] if len(found) == 1 else None

    def code(self, signal: Row, given: str) -> str:
        """The reason code that a source's label means. Raises Unfit."""
        values = listed(mapping(signal.get("value")).get("enum"))
        slug = re.sub(r"[^a-z0-9]+", "_", given.lower().replace("'", "")).strip("_")
        for code in (self._names.get(given, given), slug, REASONS.get(slug, "")):
            if code in values:
                return str(code)
        raise Unfit(f"the signal {signal['name']} has no such code")

    def value(self, signal: Row, given: Any) -> Any:
        """A source's value as the signal has it. Raises Unfit."""
        kind = str(signal.get("kind"))
        if kind == "Reason":
            return self.code(signal, _word(given))
        if kind == "Stars":
            return _stars(given, int(mapping(signal.get("value")).get("maximum") or 5))
        if kind not in _VALUES:
            raise Unfit(f"values of kind {kind} are not imported")
        return _VALUES[kind](given)


def _truth(given: Any) -> bool:
    word = str(given).lower().removesuffix(".0")
    if word in _YES or word in _NO:
        return word in _YES
    raise Unfit("the value is neither yes nor no")


def _answer(given: Any) -> str:
    if str(given).lower() in ("unsure", "unknown", "maybe"):
        return "unsure"
    return "yes" if _truth(given) else "no"


def _stars(given: Any, most: int) -> int:
    value = _number(given)
    if value != int(value) or not 1 <= value <= most:
        raise Unfit(f"the value is no whole number from 1 to {most}")
    return int(value)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Unfit("the value is no number")
    return given


def _word(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise Unfit("the value is no text")
    return given


def _choice(given: str) -> str:
    if given not in ("a", "b", "tie", "both_bad"):
        raise Unfit("the value is none of a, b, tie, both_bad")
    return given


_VALUES: dict[str, Callable[[Any], Any]] = {
    "Thumbs": _truth,
    "Accept": _truth,
    "Question": _answer,
    "Preference": _choice,
    "Comment": _word,
    "Correction": _word,
    "Conversion": _number,
    "Edit": _number,
}
