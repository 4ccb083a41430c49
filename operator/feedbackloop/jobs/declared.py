"""Files of the team, declared by digest: JSON, one record with an id of its own a line."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.storage import Store


class Identified(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


def fetched(store: Store, key: str, digest: str, *, missing: str, declarer: str) -> bytes:
    """Exactly the bytes that are declared. Raises InvalidDataset, which says what is `missing` or who declares."""
    data = store.get(key)
    if data is None:
        raise InvalidDataset(f"{key}: {missing}")
    if canonical.digest(data) != digest:
        raise InvalidDataset(f"{key}: its digest is {canonical.digest(data)}, {declarer} declares {digest}")
    return data


def parsed(data: bytes, name: str, decoder: msgspec.json.Decoder[R], plural: str) -> tuple[R, ...]:
    """The records; an error names the line, never its text. Raises InvalidDataset."""
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    records = tuple(_record(line, f"{name}, line {number}", decoder) for number, line in lines)
    if len({record.id for record in records}) < len(records):
        raise InvalidDataset(f"{name}: two {plural} have the same id")
    return records


def _record(line: bytes, place: str, decoder: msgspec.json.Decoder[R]) -> R:
    try:
        return decoder.decode(line)
    except msgspec.MsgspecError as error:
        # Of msgspec's errors: types, and the path inside the line; values are not quoted.
        raise InvalidDataset(f"{place}: {error}") from None
