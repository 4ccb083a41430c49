"""The stored pairs that are compared: of this rollout, with consent, of the two models, and at most so many."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from feedbackloop.api.collection import Purpose
from feedbackloop.api.jobs import ShadowSpec
from feedbackloop.events.ledger.consents import Standings, forbidden
from feedbackloop.events.records import Record, ShadowPairRecord


class Skip(StrEnum):
    """Why a pair of this rollout is not compared."""

    NO_CONSENT = "NoConsent"
    """Its user did not agree, or has refused since."""
    OTHER_MODEL = "OtherModel"
    """An answer is not of the champion or not of the candidate."""


@dataclass
class Sample:
    """The pairs with the smallest digests: the same ones in whatever order they are read."""

    most: int
    seed: int
    skipped: Counter[Skip] = field(default_factory=Counter)
    seen: int = 0
    """Pairs that might have been taken."""
    _heap: list[tuple[int, int, ShadowPairRecord]] = field(default_factory=list)
    _ties: count[int] = field(default_factory=count)

    def take(self, record: ShadowPairRecord) -> None:
        self.seen += 1
        digest = hashlib.sha256(f"{self.seed}/{record.event_id}".encode()).digest()
        entry = (-int.from_bytes(digest, "big"), next(self._ties), record)
        if len(self._heap) < self.most:
            heapq.heappush(self._heap, entry)
        elif self._heap:
            heapq.heappushpop(self._heap, entry)

    def pairs(self) -> list[ShadowPairRecord]:
        """In the order of their digests."""
        return [record for *_, record in sorted(self._heap, key=lambda entry: -entry[0])]


def sample(records: Iterable[Record], spec: ShadowSpec, standings: Standings, most: int) -> Sample:
    """At most `most` pairs. An event id counts once; holds no more than the sample in memory, and ids."""
    taken, known = Sample(most, spec.seed), set[str]()
    for record in records:
        if not isinstance(record, ShadowPairRecord) or not _of(record, spec) or record.event_id in known:
            continue
        known.add(record.event_id)
        if skip := _skip(record, spec, standings):
            taken.skipped[skip] += 1
        else:
            taken.take(record)
    return taken


def _of(record: ShadowPairRecord, spec: ShadowSpec) -> bool:
    return record.run_uid == spec.rollout_run_uid and record.epoch >= spec.from_epoch


def _skip(record: ShadowPairRecord, spec: ShadowSpec, standings: Standings) -> Skip | None:
    if not _agreed(record, spec, standings):
        return Skip.NO_CONSENT
    models = record.stable.digest, record.shadow.digest
    return None if models == (spec.champion_digest, spec.candidate_digest) else Skip.OTHER_MODEL


def _agreed(record: ShadowPairRecord, spec: ShadowSpec, standings: Standings) -> bool:
    said = record.consent is True or (record.consent is None and not spec.consent_required)
    return said and not forbidden(standings, record.subject, Purpose.IMPROVE, record.received_at)
