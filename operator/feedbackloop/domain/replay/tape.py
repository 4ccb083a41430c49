"""The record on its way to ConfigMaps: compressed parts that are full one after the other, bounded in all."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from feedbackloop.api import API_VERSION, LABEL_REPLAY

FILE = "frames.jsonl.gz"
PART_BYTES = 256 * 1024
"""Of text; it is compressed to a tenth or so."""
MOST_PARTS = 64

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One part: its number and its text."""

    number: int = 0
    text: str = ""

    @property
    def full(self) -> bool:
        return len(self.text) >= PART_BYTES

    def plus(self, line: str) -> Part:
        """With one line more; the next part when this one is full."""
        return Part(self.number + 1, f"{line}\n") if self.full else Part(self.number, f"{self.text}{line}\n")


def name(run: str, number: int) -> str:
    return f"{run}-replay-{number}"


def config_map(part: Part, *, namespace: str, run: str, uid: str) -> Json:
    """The part as an object that goes with its run."""
    owner = {"apiVersion": API_VERSION, "kind": "ImprovementRun", "name": run, "uid": uid}
    packed = gzip.compress(part.text.encode(), compresslevel=6, mtime=0)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name(run, part.number),
            "namespace": namespace,
            "labels": {LABEL_REPLAY: uid},
            "ownerReferences": [owner],
        },
        "binaryData": {FILE: base64.b64encode(packed).decode()},
    }


def parts(objects: Iterable[Json], uid: str) -> tuple[Part, ...]:
    """The parts of a run's record, in order; raises ValueError when one is missing or cannot be read."""
    mine = [o for o in objects if (o["metadata"].get("labels") or {}).get(LABEL_REPLAY) == uid]
    found = sorted((_part(o) for o in mine), key=lambda part: part.number)
    for expected, part in enumerate(found):
        if part.number != expected:
            raise ValueError(f"part {expected} of the record is missing")
    return tuple(found)


def _part(config_map_: Json) -> Part:
    metadata = config_map_["metadata"]
    try:
        packed = base64.b64decode(config_map_["binaryData"][FILE], validate=True)
        text = gzip.decompress(packed).decode()
        if not text:
            raise ValueError("it is empty")
        return Part(int(metadata["name"].rpartition("-")[2]), text)
    except (KeyError, ValueError, OSError, EOFError, zlib.error, binascii.Error) as error:
        raise ValueError(f"ConfigMap {metadata['name']} is no part of a record: {error}") from None
