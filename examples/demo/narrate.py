"""The live timeline: what happened, when and why, on the terminal and in a file."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tests.support.ticks import repeatedly

COLOURS = {
    "setup": "90",
    "users": "36",
    "loop": "35",
    "stage": "34",
    "gate": "33",
    "rollout": "32",
    "fault": "31",
    "end": "1",
}


class Narrator:
    """Prints one line an event and keeps them as JSON lines for the report."""

    def __init__(self, path: Path, *, out: TextIO = sys.stdout) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._out, self._start, self._lock = out, time.monotonic(), threading.Lock()
        self._colour = out.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def say(self, kind: str, text: str, **facts: Any) -> None:
        at = self.seconds
        with self._lock:
            self._file.write(json.dumps({"at": round(at, 1), "kind": kind, "text": text, **facts}) + "\n")
            self._file.flush()
            label = f"\033[{COLOURS.get(kind, '0')}m{kind:>8}\033[0m" if self._colour else f"{kind:>8}"
            print(f"{int(at) // 60:3d}:{at % 60:04.1f} {label}  {text}", file=self._out, flush=True)

    @contextmanager
    def waiting(self, kind: str, what: str, every: float = 5.0) -> Iterator[None]:
        """Say every few seconds what a long step is doing."""
        start = time.monotonic()
        with repeatedly(lambda: self.say(kind, f"… {what} ({time.monotonic() - start:.0f} s)"), every):
            yield
