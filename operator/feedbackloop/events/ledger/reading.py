"""Ledgers in object storage: read to their end, every chain checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from feedbackloop.events.errors import LedgerBroken
from feedbackloop.events.ledger.chain import Head
from feedbackloop.events.ledger.consents import Standings, latest
from feedbackloop.events.ledger.entries import consent_of
from feedbackloop.events.ledger.verify import Bad, Chain
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import ConsentRecord

FOLDER = "ledger"


@dataclass
class Ledger:
    """What all chains of a loop say, and how far they went when they were read."""

    heads: dict[str, Head] = field(default_factory=dict)
    consents: list[ConsentRecord] = field(default_factory=list)

    def standings(self) -> Standings:
        """What holds."""
        return latest(self.consents)


def paths(objects: ObjectClient, prefix: str) -> dict[str, list[str]]:
    """The keys of every origin's files, in order. `prefix` is `<spec prefix><loop uid>/`."""
    found: dict[str, list[str]] = {}
    for key in objects.list(f"{prefix}{FOLDER}/"):
        origin, _, name = key.removeprefix(f"{prefix}{FOLDER}/").rpartition("/")
        if origin and name.endswith(".jsonl"):
            found.setdefault(origin, []).append(key)
    return {origin: sorted(keys) for origin, keys in sorted(found.items())}


def read(objects: ObjectClient, prefix: str, public_key: str, known: dict[str, Head] | None = None) -> Ledger:
    """All ledgers of a loop, to their end as it is now. `known` are heads that must be contained.

    Raises LedgerBroken, which names the first bad entry; ObjectMissing, StorageUnavailable.
    """
    ledger, listed = Ledger(), paths(objects, prefix)
    for origin in sorted({*listed, *(known or {})}):
        chain = Chain(origin, public_key, wanted=_wanted(known, origin))
        try:
            for entry in _entries(objects, chain, listed.get(origin, [])):
                consent = consent_of(entry, origin)
                if consent is not None:
                    ledger.consents.append(consent)
            chain.end()
        except Bad as error:
            raise LedgerBroken(f"ledger: {error.problem}") from None
        ledger.heads[origin] = chain.head
    return ledger


def _wanted(known: dict[str, Head] | None, origin: str) -> dict[int, str]:
    head = (known or {}).get(origin)
    return {head.seq: head.hash} if head is not None and head.seq else {}


def _entries(objects: ObjectClient, chain: Chain, keys: list[str]) -> Iterator[dict[str, Any]]:
    for key in keys:
        yield from chain.file(key.rpartition("/")[2], objects.get(key))


@dataclass(frozen=True)
class Newest:
    """The last file of a chain."""

    before: Head
    """What its first entry follows."""
    head: Head
    data: bytes = b""


def newest(objects: ObjectClient, prefix: str, origin: str, public_key: str) -> Newest:
    """Where an origin's chain ends, by its last file alone: for a writer that has no memory of its own.

    Raises LedgerBroken when that file is not this loop's, StorageUnavailable.
    """
    keys = sorted(key for key in objects.list(f"{prefix}{FOLDER}/{origin}/") if key.endswith(".jsonl"))
    if not keys:
        return Newest(Head(), Head())
    name, data = keys[-1].rpartition("/")[2], objects.get(keys[-1])
    before = Head(int(name[:20]) - 1, _prev(data))
    chain = Chain(origin, public_key, head=before)
    try:
        for _ in chain.file(name, data):
            pass
    except Bad as error:
        raise LedgerBroken(f"ledger: {error.problem}") from None
    return Newest(before, chain.head, data)


def _prev(data: bytes) -> str:
    """What the file's first entry follows: taken from the file, since its signature vouches for it."""
    try:
        return str(json.loads(data.partition(b"\n")[0])["prev"])
    except (ValueError, KeyError, TypeError):
        raise LedgerBroken("ledger: the newest file does not begin with an entry") from None
