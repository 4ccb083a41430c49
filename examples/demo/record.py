"""What the gateway acknowledged, kept by the driver, so that losses can be counted later by anybody."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Acknowledged:
    """Ids that got a 2xx (and must be found in storage), and ids that were refused with a reason."""

    path: Path
    events: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    bad_rows: set[str] = field(default_factory=set)
    failures: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("w", encoding="utf-8")

    def _note(self, kind: str, id_: str) -> None:
        with self._lock:
            self._file.write(json.dumps({"kind": kind, "id": id_}) + "\n")
            self._file.flush()

    def event(self, event_id: str) -> None:
        self.events.add(event_id)
        self._note("event", event_id)

    def output(self, output_id: str) -> None:
        self.outputs.add(output_id)
        self._note("output", output_id)

    def bad_row(self, row_id: str) -> None:
        self.bad_rows.add(row_id)
        self._note("bad_row", row_id)

    def failure(self, what: str) -> None:
        self.failures[what] += 1


def load(path: Path) -> dict[str, set[str]]:
    """The ids of a finished run by kind: `event`, `output`, `bad_row`."""
    ids: dict[str, set[str]] = {"event": set(), "output": set(), "bad_row": set()}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        ids[row["kind"]].add(row["id"])
    return ids
