"""The gateway's memory: a fold over the log's entries (pure), and its snapshot for the checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

import msgspec
from msgspec import Struct

from feedbackloop.events.codec import Stored
from feedbackloop.events.records import (
    AuditRecord,
    BadRow,
    ConsentRecord,
    ErasedRecord,
    FeedbackRecord,
    InteractionRecord,
    LostRecord,
    Serving,
    ShadowPairRecord,
)
from feedbackloop.gateway.known import KnownOutputs
from feedbackloop.gateway.meta import Declined, Duplicates, Meta, Outcome, OutcomesSet, Replayed, Served, Shadowed
from feedbackloop.gateway.shadow.book import ShadowBook, ShadowKey, Shadows
from feedbackloop.gateway.standing import Standings
from feedbackloop.gateway.traffic import Traffic, TrafficBook, TrafficKey
from feedbackloop.gateway.units import SUMS, CountKey, Unit, UnitBook

Unasked = ShadowPairRecord | LostRecord | ErasedRecord | ConsentRecord | AuditRecord
"""Records that no client sent."""


class Snapshot(Struct):
    """A state as it lies in a checkpoint."""

    stored: int
    trainable: int
    duplicate: int
    bad_rows: int
    by_signal: dict[str, int]
    clock: int
    outcomes: tuple[Outcome, ...]
    counts: list[tuple[CountKey, list[int]]]
    units: list[Unit]
    traffic: list[tuple[TrafficKey, Traffic]]
    own: int = 0
    orphans: int = 0
    declined: int = 0
    replayed: int = 0
    consents: dict[str, int] = {}
    audited: dict[str, str] = {}
    shadow: list[tuple[ShadowKey, Shadows]] = []


class State:
    """Counters of one pod's log from its first record on. `apply` must see every entry once, in order."""

    def __init__(self) -> None:
        self.stored = 0
        self.trainable = 0
        self.duplicate = 0
        self.bad_rows = 0
        self.own = 0
        """Records among the stored that no client sent (`Unasked`)."""
        self.orphans = 0
        self.declined = 0
        self.replayed = 0
        self.consents: Counter[str] = Counter()
        """Entries of the consent ledger by `<purpose>/<state>`."""
        self.standings = Standings()
        self.audited: dict[str, str] = {}
        """What the newest audit entry of an action says of the digest that it is about."""
        self.by_signal: Counter[str] = Counter()
        self.clock = 0
        """The time of the newest entry, Unix milliseconds."""
        self.units = UnitBook()
        self.outputs = KnownOutputs()
        self.traffic = TrafficBook()
        self.shadow = ShadowBook()

    @property
    def accepted(self) -> int:
        """Events that were taken in: stored, repeated or refused, each exactly one of the three."""
        return self.stored + self.duplicate + self.bad_rows

    @property
    def taken(self) -> int:
        """Clients' events in the log, by what the log holds: the other side of what was answered."""
        return self.accepted - self.own

    def apply(self, entry: Stored | Meta) -> None:
        """Takes one entry into account; windows that ended before it close first."""
        if entry.received_at > self.clock:
            self.clock = entry.received_at
            self.units.advance(entry.received_at)
        self._APPLY[type(entry)](self, entry)

    def tick(self, horizon_ms: int) -> None:
        """Time has passed, and nothing older than the horizon will be applied any more."""
        self.clock = max(self.clock, horizon_ms)
        self.units.advance(horizon_ms)

    def _feedback(self, record: FeedbackRecord) -> None:
        self.stored += 1
        self.trainable += record.trainable
        self.orphans += record.orphan
        self.by_signal[record.signal] += 1
        self.units.voted(record)

    def _interaction(self, record: InteractionRecord) -> None:
        self.stored += 1
        self.outputs.add(record)
        if record.serving is not None and record.channel != "replay":
            self._traffic(record.serving)
            self.units.answered(record)

    def _consent(self, record: ConsentRecord) -> None:
        self.consents[f"{record.purpose}/{record.state}"] += 1
        self.standings.apply(record)
        self._other(record)

    def _traffic(self, serving: Serving) -> None:
        if not serving.elsewhere:
            self.traffic.served(serving)

    def _audit(self, record: AuditRecord) -> None:
        if digest := record.detail.get("revision") or record.detail.get("sha256"):
            self.audited[record.action] = digest
        self._other(record)

    def _pair(self, record: ShadowPairRecord) -> None:
        self.shadow.stored(record.run_uid, record.epoch)
        self._other(record)

    def _other(self, _record: Unasked) -> None:
        self.stored += 1
        self.own += 1

    def _bad_row(self, _row: BadRow) -> None:
        self.bad_rows += 1

    def _duplicates(self, meta: Duplicates) -> None:
        self.duplicate += meta.count

    def _replayed(self, meta: Replayed) -> None:
        self.replayed += meta.count

    def _declined(self, meta: Declined) -> None:
        self.declined += meta.count

    def _served(self, meta: Served) -> None:
        self._traffic(meta.serving)
        if meta.serving.uncounted and meta.session:
            self.units.dropped(meta.session, meta.serving)

    def _shadowed(self, meta: Shadowed) -> None:
        self.shadow.told(meta)

    def _outcomes(self, meta: OutcomesSet) -> None:
        self.units.outcomes = meta.outcomes

    _APPLY: ClassVar[dict[type, Callable[..., None]]] = {
        FeedbackRecord: _feedback,
        InteractionRecord: _interaction,
        LostRecord: _other,
        ErasedRecord: _other,
        ConsentRecord: _consent,
        AuditRecord: _audit,
        ShadowPairRecord: _pair,
        BadRow: _bad_row,
        Duplicates: _duplicates,
        Replayed: _replayed,
        Declined: _declined,
        Served: _served,
        OutcomesSet: _outcomes,
        Shadowed: _shadowed,
    }

    def snapshot(self) -> Snapshot:
        """A copy that later entries do not change."""
        return Snapshot(
            stored=self.stored,
            trainable=self.trainable,
            duplicate=self.duplicate,
            bad_rows=self.bad_rows,
            by_signal=dict(self.by_signal),
            clock=self.clock,
            outcomes=self.units.outcomes,
            counts=[(key, list(counts)) for key, counts in self.units.counts.items()],
            units=list(self.units.open_units()),
            traffic=[(key, traffic.copied()) for key, traffic in self.traffic.counts.items()],
            own=self.own,
            orphans=self.orphans,
            declined=self.declined,
            replayed=self.replayed,
            consents=dict(self.consents),
            audited=dict(self.audited),
            shadow=[(key, msgspec.structs.replace(counts)) for key, counts in self.shadow.counts.items()],
        )

    @classmethod
    def restored(cls, snapshot: Snapshot) -> State:
        state = cls()
        state.stored, state.trainable = snapshot.stored, snapshot.trainable
        state.duplicate, state.bad_rows = snapshot.duplicate, snapshot.bad_rows
        state.own, state.orphans = snapshot.own, snapshot.orphans
        state.declined, state.replayed = snapshot.declined, snapshot.replayed
        state.consents.update(snapshot.consents)
        state.audited.update(snapshot.audited)
        state.by_signal.update(snapshot.by_signal)
        state.clock = snapshot.clock
        state.units.outcomes = snapshot.outcomes
        # A checkpoint of before has no sums.
        state.units.counts = {key: counts + [0] * (SUMS - len(counts)) for key, counts in snapshot.counts}
        state.units.restore(snapshot.units)
        state.traffic.counts = dict(snapshot.traffic)
        state.shadow.counts = dict(snapshot.shadow)
        return state
