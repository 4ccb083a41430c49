"""A recorded log: JSON lines, gzipped or not, one answer or one signal a line (docs/replay.md has the format)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct


class LogError(Exception):
    """The log cannot be used; the message names file, line and field."""


class Line(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An answer, or, with `signal`, what a user said or did about one."""

    t: float | str
    """Unix seconds, or RFC 3339 with a zone."""
    session: str
    """The session's name; its first answer opens its unit."""
    arm: Literal["stable", "canary"] | None = None
    """Which model answered when it was recorded; unset: the one that stable has."""
    latency_ms: float = 0
    error: bool = False
    refused: bool = False
    empty: bool = False
    first_token_ms: float | None = None
    """Of a streamed answer."""
    signal: str = ""
    """A signal of the loop."""
    value: bool | float | str | None = None
    """Of that signal: true is thumbs up, `yes` or `no` a question's answer, a number stars or milliseconds."""


class Entry(Struct):
    """A line with its time in milliseconds."""

    at: int
    line: Line


_decode = msgspec.json.Decoder(Line).decode


def read(place: Path) -> list[Entry]:
    """All lines of a file, or of a folder's *.jsonl and *.jsonl.gz, in the order of time."""
    files = [place] if place.is_file() else sorted(f for f in place.glob("*.jsonl*") if f.suffix in (".jsonl", ".gz"))
    if not files:
        raise LogError(f"{place}: there is no such file, and no *.jsonl or *.jsonl.gz in it")
    entries = [entry for file in files for entry in _entries(file)]
    if not entries:
        raise LogError(f"{place}: it has no lines")
    entries.sort(key=lambda entry: entry.at)
    return entries


def _entries(file: Path) -> Iterator[Entry]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield _entry(file, number, text)
    except (OSError, EOFError) as error:
        raise LogError(f"{file}: {error}") from None


def _entry(file: Path, number: int, text: bytes) -> Entry:
    try:
        line = _decode(text)
        return Entry(_milliseconds(line.t), line)
    except (msgspec.MsgspecError, ValueError) as error:
        raise LogError(f"{file}, line {number}: {error}") from None


def _milliseconds(time: float | str) -> int:
    if not isinstance(time, str):
        return round(time * 1000)
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(f"t: {time} needs a time zone, such as Z")
    return round(moment.timestamp() * 1000)
