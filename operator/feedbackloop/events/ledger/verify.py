"""The standalone verifier: names the first bad entry of every chain.

    python -m feedbackloop.events.ledger.verify DIRECTORY PUBLIC_KEY [--head ORIGIN=SEQ:HASH …]

needs the files, the public key (64 hex digits, from the gateway's status or `keys` of the team) and the package
`cryptography`. What no chain of hashes can tell by itself is an end that was cut off; a head that was seen
elsewhere can: one given with `--head`, and those that the jobs' own entries name.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbackloop.events import canonical
from feedbackloop.events.ledger.chain import CHECKPOINT, Head, hash_of, is_signed

_NAME = re.compile(r"([0-9]{20})-([0-9]{20})\.jsonl")
FORM, ORDER, GAP, FORK, LINK, HASH = "form", "order", "gap", "fork", "link", "hash"
SIGNATURE, TRUNCATED, HEAD = "signature", "truncated", "head"


@dataclass(frozen=True)
class Problem:
    """The first thing that is wrong with a chain."""

    file: str
    line: int
    """From 1 on; 0 when the whole file is meant."""
    seq: int
    """The number of the entry that is bad, or that is missing."""
    what: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, entry {self.seq}: {self.what}: {self.message}"


class Bad(Exception):  # noqa: N818
    """Carries the problem up."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Report:
    """One origin's chain. `head` is how far it is good."""

    origin: str
    head: Head
    problem: Problem | None = None


@dataclass
class Chain:
    """A chain that is being followed. Raises Bad at the first wrong entry."""

    origin: str
    public_key: str
    head: Head = field(default_factory=Head)
    wanted: dict[int, str] = field(default_factory=dict)
    """Hashes that are known from elsewhere, by entry."""
    _at: tuple[str, int] = ("", 0)

    def file(self, name: str, data: bytes) -> Iterator[dict[str, Any]]:
        """The entries of the next file, each after it was checked; the checkpoint after the last of them."""
        first, last = self._named(name)
        lines = data.split(b"\n")
        if lines[-1] != b"":
            self._at = (name, len(lines))
            raise self._bad(TRUNCATED, "the file does not end with a whole line")
        for number, line in enumerate(lines[:-2], 1):
            self._at = (name, number)
            yield self._entry(self._parsed(line))
        self._at = (name, len(lines) - 1)
        self._checkpoint(self._parsed(lines[-2] if len(lines) > 1 else b""))
        if self.head.seq != last:
            raise self._bad(TRUNCATED, f"entries {first} to {last} are announced, the last one is {self.head.seq}")

    def end(self) -> None:
        """After the last file: every head that is known from elsewhere must have been reached."""
        missing = [seq for seq in self.wanted if seq > self.head.seq]
        if missing:
            seq = self.head.seq + 1
            raise self._bad(TRUNCATED, f"entries {seq} to {max(missing)} were cut off", seq)

    def _named(self, name: str) -> tuple[int, int]:
        self._at = (name, 0)
        match = _NAME.fullmatch(name)
        if match is None:
            raise self._bad(FORM, "the file's name is not <first>-<last>.jsonl with 20 digits each")
        first, expected = int(match[1]), self.head.seq + 1
        if first > expected:
            raise self._bad(GAP, f"entries {expected} to {first - 1} are missing", expected)
        if first < expected:
            raise self._bad(FORK, f"entry {first} stands in an earlier file already", first)
        return first, int(match[2])

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise self._bad(FORM, "the line is not JSON") from None
        if not isinstance(value, dict) or _recoded(value) != line:
            raise self._bad(FORM, "the line is not canonical JSON: it was altered")
        return value

    def _entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        expected, seq = self.head.seq + 1, entry.get("seq")
        if entry.get("kind") == CHECKPOINT:
            raise self._bad(ORDER, "a checkpoint stands before the file's end")
        if seq != expected:
            missing = isinstance(seq, int) and seq > expected
            raise self._bad(GAP if missing else ORDER, f"entry {seq} stands where {expected} belongs")
        if entry.get("prev") != self.head.hash:
            raise self._bad(LINK, "prev is not the hash of the entry before")
        if entry.get("hash") != hash_of(entry):
            raise self._bad(HASH, "the hash does not belong to the entry: it was altered")
        self._known(expected, str(entry["hash"]))
        self.head = Head(expected, str(entry["hash"]))
        return entry

    def _known(self, seq: int, found: str) -> None:
        if self.wanted.get(seq, found) != found:
            raise self._bad(FORK, "another entry of this number is known from elsewhere")

    def _checkpoint(self, line: dict[str, Any]) -> None:
        if line.get("kind") != CHECKPOINT:
            raise self._bad(TRUNCATED, "the file does not end with a checkpoint")
        if line.get("origin") != self.origin:
            raise self._bad(HEAD, "the checkpoint belongs to another ledger", self.head.seq)
        if (line.get("seq"), line.get("head")) != (self.head.seq, self.head.hash):
            short = isinstance(line.get("seq"), int) and line["seq"] > self.head.seq
            what = TRUNCATED if short else HEAD
            raise self._bad(what, f"the checkpoint is of entry {line.get('seq')}, the last one is {self.head.seq}")
        if not is_signed(line, self.public_key):
            raise self._bad(SIGNATURE, "the checkpoint is not signed by this public key", self.head.seq)

    def _bad(self, what: str, message: str, seq: int | None = None) -> Bad:
        return Bad(Problem(f"{self.origin}/{self._at[0]}", self._at[1], seq or self.head.seq + 1, what, message))


def _recoded(value: dict[str, Any]) -> bytes:
    try:
        return canonical.encode(value)
    except (ValueError, UnicodeError):
        return b""


Files = Mapping[str, bytes]
"""`<origin>/<file name>` to content."""


def verify(files: Files, public_key: str, heads: Mapping[str, Iterable[Head]] | None = None) -> list[Report]:
    """A report for each origin, in order. `heads` are such as were seen elsewhere."""
    origins: dict[str, list[str]] = {origin: [] for origin in heads or {}}
    for path in sorted(files):
        origins.setdefault(path.rpartition("/")[0], []).append(path)
    known: dict[str, list[Head]] = {origin: list(seen) for origin, seen in (heads or {}).items()}
    for origin, seen in anchors(files.values()):
        known.setdefault(origin, []).append(seen)
        origins.setdefault(origin, [])
    return [
        _follow(origin, paths, files, public_key, known.get(origin, [])) for origin, paths in sorted(origins.items())
    ]


def _follow(origin: str, paths: Sequence[str], files: Files, public_key: str, known: Sequence[Head]) -> Report:
    chain = Chain(origin, public_key, wanted={head.seq: head.hash for head in known if head.seq})
    try:
        for path in paths:
            for _ in chain.file(path.rpartition("/")[2], files[path]):
                pass
        chain.end()
    except Bad as error:
        return Report(origin, chain.head, error.problem)
    return Report(origin, chain.head)


def anchors(contents: Iterable[bytes]) -> Iterator[tuple[str, Head]]:
    """Heads of other chains that entries name: `{"heads": {origin: {"seq", "hash"}}}`."""
    for data in contents:
        for line in data.splitlines():
            if b'"heads"' in line:
                yield from _heads(line)


def _heads(line: bytes) -> Iterator[tuple[str, Head]]:
    try:
        found = json.loads(line)["heads"]
        yield from [(str(origin), Head(int(head["seq"]), str(head["hash"]))) for origin, head in found.items()]
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # the chain that this line stands in says what is wrong with it


def read_directory(directory: Path) -> dict[str, bytes]:
    """The files below a directory, by origin and name; the origin is a file's own folder."""
    paths = sorted(directory.rglob("*.jsonl"))
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


def parse_head(text: str) -> tuple[str, Head]:
    """`ORIGIN=SEQ:HASH`. Raises ValueError."""
    origin, _, rest = text.partition("=")
    seq, _, digest = rest.partition(":")
    if not origin or len(digest) != 64:
        raise ValueError("a head is ORIGIN=SEQ:HASH with 64 hex digits")
    return origin, Head(int(seq), digest)


def grouped(heads: Iterable[tuple[str, Head]]) -> dict[str, list[Head]]:
    """Heads by origin."""
    found: dict[str, list[Head]] = {}
    for origin, head in heads:
        found.setdefault(origin, []).append(head)
    return found


def tell(reports: Sequence[Report]) -> int:
    """Prints a line for each chain; the exit code."""
    for report in reports:
        good = f"{report.head.seq} entries, head {report.head.hash}"
        print(f"{report.origin}: {f'good: {good}' if report.problem is None else f'BAD: {report.problem}'}")
    if not reports:
        print("there is no ledger here")
    return int(not reports or any(report.problem for report in reports))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 0 when every chain is good."""
    parser = argparse.ArgumentParser(prog="verify", description="Verify the ledgers of a FeedbackLoop.")
    parser.add_argument("directory", type=Path, help="a folder of ledger files, or of folders of them")
    parser.add_argument("public_key", help="64 hex digits")
    parser.add_argument("--head", action="append", default=[], type=parse_head, metavar="ORIGIN=SEQ:HASH")
    wanted = parser.parse_args(arguments)
    return tell(verify(read_directory(wanted.directory), wanted.public_key, grouped(wanted.head)))


if __name__ == "__main__":
    sys.exit(main())
