"""Which declared signal an evaluation event is about."""

from __future__ import annotations

import re
from collections.abc import Mapping

from feedbackloop.api.collection import Signal, SignalKind

_NAME = re.compile(r"user\.([A-Za-z_]{1,40})\.([A-Za-z_]{1,40})")
_KINDS = {kind.value.lower(): kind for kind in SignalKind} | {"ratingquestion": SignalKind.QUESTION}


class Names:
    """The loop's signals by what an exporter may call them: their own name, or `user.<dimension>.<kind>`."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self._signals = signals
        self._known: dict[str, Signal | None] = {}

    def find(self, name: str) -> Signal | None:
        """The declared signal, None when there is none, or more than one that is meant as well as another."""
        if name in self._signals:
            return self._signals[name]
        if name not in self._known:
            if len(self._known) > 1000:  # names come from outside
                self._known.clear()
            self._known[name] = self._by_question(name)
        return self._known[name]

    def only(self, kind: SignalKind, dimension: str) -> Signal | None:
        """The signal of a kind for a dimension: the one that names it, else the one that names none."""
        of_kind = [signal for signal in self._signals.values() if signal.kind is kind]
        exact = [signal for signal in of_kind if _plain(signal.dimension or "") == _plain(dimension)]
        found = exact or [signal for signal in of_kind if signal.dimension is None]
        return found[0] if len(found) == 1 else None

    def _by_question(self, name: str) -> Signal | None:
        match = _NAME.fullmatch(name)
        kind = _KINDS.get(_plain(match[2])) if match else None
        return self.only(kind, match[1]) if match and kind else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
