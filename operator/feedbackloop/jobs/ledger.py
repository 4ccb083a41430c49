"""The ledger as jobs use it: read to its end, and continued by what a run does.

A run's entries lie in a chain of their own, `ledger/<runId>/`. They name the heads of the gateways' chains
that they read, so that a chain that is cut or made anew later is found out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from feedbackloop.api.jobs import JobSpec
from feedbackloop.events import keys
from feedbackloop.events.ledger import reading
from feedbackloop.events.ledger.chain import Head, Signer, file_of
from feedbackloop.events.ledger.entries import AUDIT
from feedbackloop.events.ledger.reading import Ledger
from feedbackloop.jobs.errors import InvalidDataset, StorageUnavailable
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.storage import Objects, Store

SECRET = "keys/secret"  # noqa: S105 - where it lies
ATTEMPTS = 5
Heads = dict[str, Head]


def signer(job: Job[Any]) -> Signer | None:
    """Signs as this loop; None for a loop whose gateways have never shared a secret (an older version's log)."""
    wrapped = _keys_store(job.spec, job.store).get(SECRET)
    if wrapped is None:
        return None
    secret = keys.unwrap(job.kek(), wrapped, f"loop-secret/{job.spec.loop.uid}".encode())
    return Signer(keys.LoopKeys.of(secret).ledger)


def _keys_store(spec: JobSpec, store: Store) -> Store:
    bucket = spec.encryption.keys_bucket or store.bucket
    return Store(store.client, bucket, store.prefix)


def read(job: Job[Any], known: Heads | None = None) -> Ledger:
    """Everything that all chains say now, each checked, and containing the `known` heads.

    Raises LedgerBroken, StorageUnavailable; InvalidDataset when there is a ledger and no key to check it with.
    """
    signs, objects, prefix = signer(job), Objects(job.store), job.spec.storage.prefix
    if signs is not None:
        return reading.read(objects, prefix, signs.public_key, known)
    if known or reading.paths(objects, prefix):
        raise InvalidDataset(f"{SECRET}: is missing, so that the ledger cannot be checked; restore it")
    return Ledger()


def append(job: Job[Any], action: str, heads: Heads | None = None, **detail: object) -> None:
    """One audit entry of this run, signed. An older loop without a secret has no ledger: then nothing is written."""
    signs = signer(job)
    if signs is None:
        return
    content = {
        "kind": AUDIT,
        "at": time.time_ns() // 1_000_000,
        "action": action,
        "actor": f"job/{job.spec.stage}",
        "run": job.spec.run_name,
        "detail": {name: str(value) for name, value in detail.items()},
        **({"heads": as_json(heads)} if heads else {}),
    }
    for _ in range(ATTEMPTS):
        if _appended(job, signs, content):
            return
    raise StorageUnavailable(f"ledger/{job.spec.run_id}/: others write to it all the time")


def _appended(job: Job[Any], signs: Signer, content: Mapping[str, Any]) -> bool:
    """Whether it was us: an attempt that is believed dead may still write."""
    origin = job.spec.run_id
    before = reading.newest(Objects(job.store), job.spec.storage.prefix, origin, signs.public_key).head
    file = file_of([content], before, origin=origin, signer=signs)
    assert file is not None
    return job.store.create(f"{reading.FOLDER}/{origin}/{file.name}", file.data)


def as_json(heads: Mapping[str, Head]) -> dict[str, dict[str, Any]]:
    """Heads as manifests and entries name them."""
    return {origin: {"seq": head.seq, "hash": head.hash} for origin, head in sorted(heads.items())}


def of_json(heads: Mapping[str, Mapping[str, Any]]) -> Heads:
    """The heads that a manifest names."""
    return {origin: Head(int(head["seq"]), str(head["hash"])) for origin, head in heads.items()}
