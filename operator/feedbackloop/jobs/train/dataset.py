"""The rows to train on: fetched, verified, checked for shape, laid into the scratch directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from feedbackloop.events.ledger.consents import Standings
from feedbackloop.jobs import datasets
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.train.consent import Allowed, allowed
from feedbackloop.jobs.vault import Vault

ROWS, PEOPLE = "train.jsonl", "subjects.jsonl"


class Message(Struct, frozen=True):
    role: Annotated[str, Meta(min_length=1)]
    content: str


class Row(Struct, frozen=True):
    """A TRL prompt-completion row: the loss is taken over the completion."""

    prompt: Annotated[tuple[Message, ...], Meta(min_length=1)]
    completion: Annotated[tuple[Message, ...], Meta(min_length=1)]


_decoder = msgspec.json.Decoder(Row)


def fetch(vault: Vault, digest: str, into: Path, standings: Standings) -> Allowed:
    """Write the training rows of the data set that may be used by what holds now to a file."""
    listed = {file.path for file in datasets.read_manifest(vault, digest).files}
    files = datasets.read(vault, digest, *({ROWS, PEOPLE} & listed | {ROWS}))
    found = allowed(files[ROWS], files.get(PEOPLE), standings)
    parse(found.data)
    into.write_bytes(found.data)
    return found


def parse(data: bytes) -> list[Row]:
    """The rows; an error names the line, never its text."""
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if not lines:
        raise InvalidDataset(f"{ROWS}: there are no rows to train on")
    return [_row(number, line) for number, line in lines]


def _row(number: int, line: bytes) -> Row:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        # Of msgspec's errors: types, and the path inside the line; values are not quoted.
        raise InvalidDataset(f"{ROWS}, line {number}: {error}") from None
