"""Entries of a ledger, their hash chain, and the signed checkpoint that ends every file.

A file is JSON Lines. An entry is the canonical JSON object `{"seq", "at", "kind", …, "prev", "hash"}` with

    hash = sha256(0x01 ‖ prev ‖ canonical entry without "hash")

where `prev` is the entry before's hash (32 bytes; zeros before the first). The last line is a checkpoint,
signed with Ed25519 over a fixed prefix and its canonical form without "signature". One origin (a gateway
pod, or a job's run) has one chain; its entries count from 1, in files `<origin>/<first>-<last>.jsonl`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from feedbackloop.events import canonical

GENESIS = "0" * 64
CHECKPOINT = "checkpoint"
KEY_LABEL = "ledger"
"""Of the loop's secret by HKDF: the seed of the signing key."""
_LEAF = b"\x01"
_SIGNED = b"feedbackloop/ledger/1\n"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Head:
    """How far a chain goes: its last entry's number and hash."""

    seq: int = 0
    hash: str = GENESIS


def hash_of(entry: Mapping[str, Any]) -> str:
    """The hash that belongs to an entry, from everything in it but its `hash`. Raises ValueError without a `prev`."""
    body = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(_LEAF + bytes.fromhex(str(entry["prev"])) + canonical.encode(body)).hexdigest()


def linked(content: Mapping[str, Any], before: Head) -> Entry:
    """The content as the entry that follows `before`."""
    entry = {**content, "seq": before.seq + 1, "prev": before.hash}
    return {**entry, "hash": hash_of(entry)}


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key, 64 hex digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


class Signer:
    """Signs the checkpoints of one loop's ledgers."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 bytes, derived from the loop's secret with the label `KEY_LABEL`."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = public_hex(self._key)

    def checkpoint(self, origin: str, head: Head, at: int) -> Entry:
        """The last line of a file: the same bytes whenever it is made again."""
        body = {"kind": CHECKPOINT, "origin": origin, "seq": head.seq, "head": head.hash, "at": at}
        return {**body, "signature": self._key.sign(_SIGNED + canonical.encode(body)).hex()}


def is_signed(checkpoint: Mapping[str, Any], public_key: str) -> bool:
    """Whether a checkpoint carries the signature of that key (64 hex digits)."""
    body = {name: value for name, value in checkpoint.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(str(checkpoint.get("signature", ""))), _SIGNED + canonical.encode(body))
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class File:
    """A file of a chain, as it is stored."""

    name: str
    """`<first>-<last>.jsonl`, 20 digits each."""
    data: bytes
    head: Head
    """After its last entry."""


def file_of(contents: Iterable[Mapping[str, Any]], before: Head, *, origin: str, signer: Signer) -> File | None:
    """The file that continues a chain; None without contents. Every content has its `at` (Unix milliseconds)."""
    entries, head = [], before
    for content in contents:
        entry = linked(content, head)
        entries.append(entry)
        head = Head(entry["seq"], entry["hash"])
    if not entries:
        return None
    lines = [*entries, signer.checkpoint(origin, head, int(entries[-1]["at"]))]
    data = b"".join(canonical.encode(line) + b"\n" for line in lines)
    return File(file_name(before.seq + 1, head.seq), data, head)


def file_name(first: int, last: int) -> str:
    """Of the entries first..last."""
    return f"{first:020}-{last:020}.jsonl"
