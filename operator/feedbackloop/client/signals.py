"""The loop's signals as its gateway tells them: which name an event of a kind has."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from feedbackloop.client.errors import FeedbackError

PATH = "/v1/schema/signals.json"


class Signals:
    """Names by kind; read from the gateway when the first one is needed, and then kept."""

    def __init__(self, named: Mapping[str, str], read: Callable[[], bytes]) -> None:
        self._named, self._read = dict(named), read
        self._declared: Sequence[Mapping[str, Any]] | None = None
        self._lock = threading.Lock()

    def name(self, kind: str, dimension: str | None = None) -> str:
        """The loop's signal of a kind (`Thumbs`), and of a dimension when one is given. Raises FeedbackError."""
        if dimension is None and kind in self._named:
            return self._named[kind]
        fitting = [
            str(signal["name"])
            for signal in self._all()
            if signal.get("kind") == kind and dimension in (None, signal.get("dimension"))
        ]
        if len(fitting) == 1:
            return fitting[0]
        what = f"signals of kind {kind}" + (f" and dimension {dimension}" if dimension else "")
        raise FeedbackError(f"the loop declares {len(fitting) or 'no'} {what}: name one with signal=")

    def _all(self) -> Sequence[Mapping[str, Any]]:
        with self._lock:
            if self._declared is None:
                self._declared = declared(self._read())
            return self._declared


def declared(body: bytes) -> Sequence[Mapping[str, Any]]:
    """The signals of a registry. Raises FeedbackError when it is none."""
    try:
        found = json.loads(body)["signals"]
        return [signal for signal in found if isinstance(signal, dict)]
    except (ValueError, KeyError, TypeError):
        raise FeedbackError(f"{PATH} of this server is no registry of signals: is the url a gateway's?") from None
