"""Feedback events to records: each event on its own, all of a request in one scan and one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from feedbackloop.events.codec import Stored
from feedbackloop.events.incoming import IncomingCandidate, IncomingFeedback
from feedbackloop.events.validation import NOT_KEPT, Code, Refusal, check_feedback
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import Commit, fingerprint_of
from feedbackloop.gateway.ingest.alone import took_alone
from feedbackloop.gateway.ingest.bodies import PLAIN, TRUSTED, Item, Model, as_json, known_id, lenient
from feedbackloop.gateway.ingest.consents import stated
from feedbackloop.gateway.ingest.elsewhere import hand_on
from feedbackloop.gateway.ingest.kept import harmless
from feedbackloop.gateway.ingest.outcome import Done, Outcome, Rejected, tell
from feedbackloop.gateway.ingest.records import Pending, record
from feedbackloop.gateway.ingest.sender import Sender, claims_of, refused_claims
from feedbackloop.gateway.ingest.texts import private_texts
from feedbackloop.gateway.meta import Declined, Duplicates, Meta
from feedbackloop.gateway.wal import LogUnavailable

LINES = "$.lines[{}]"


@dataclass(slots=True)
class _Work:
    """A request being worked on."""

    sender: Sender
    model: Model
    path: str
    outcome: Outcome = field(default_factory=Outcome)
    pending: list[Pending] = field(default_factory=list)
    keys: dict[int, int] = field(default_factory=dict)
    rows: list[Stored] = field(default_factory=list)
    waits: list[Commit] = field(default_factory=list)
    declined: int = 0
    consents: bool = False
    """Some event says something of consent."""


class FeedbackIngest:
    """Takes events from tokens, trusted servers and other ways in."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def take(self, body: bytes, sender: Sender, done: Done) -> None:
        """One event, or a list of at most 50. `done` gets the outcome when it is durable, or what prevented it.

        Raises NotJson, TooManyEvents, OverLimit, LogUnavailable at once; then nothing is stored and `done` is not
        called.
        """
        model = _model(sender)
        items, path = model.split(body)
        if sender.meter is not None:
            sender.meter(len(items))
        if len(items) != 1 or not took_alone(self._core, items[0], sender, done):
            self.take_items(items, sender, path, done)

    def take_lines(self, body: bytes, sender: Sender, done: Done) -> None:
        """NDJSON of at most 500 events; otherwise like `take`. Raises TooManyEvents, OverLimit, LogUnavailable."""
        items = _model(sender).lines(body)
        if sender.meter is not None:
            sender.meter(len(items))
        self.take_items(items, sender, LINES, done)

    def take_items(
        self, items: Sequence[Item], sender: Sender, path: str, done: Done, indexes: Sequence[int] = ()
    ) -> None:
        """Events from any way in; `path` is that of one of them, with `{}` for its index. Raises LogUnavailable.

        `indexes` are their places when they are a part of a request that was cut by owner.
        """
        if self._core.peers is not None and hand_on(self._core, items, sender, path, done, self.take_items):
            return
        work = _Work(sender, _model(sender), path)
        for index, item in zip(indexes or range(len(items)), items, strict=True):
            self._take_one(work, index, item)
        records = self._records(work)
        if work.consents or sender.private:
            records = [*records, *stated(self._core, sender, work.pending)]
        self._commit(work, records, done)

    def _take_one(self, work: _Work, index: int, item: Item) -> None:
        try:
            if not isinstance(item, IncomingFeedback):
                item = work.model.decode(item)
            self._accept(work, item)
        except Refusal as refusal:
            self._refuse(work, index, item, refusal)

    def _accept(self, work: _Work, event: IncomingFeedback) -> None:
        core, sender = self._core, work.sender
        claims = claims_of(core, sender, event)
        if sender.claims is not None:
            event = self._with_safe_ids(event, claims.outputs)
        checked = check_feedback(event, core.applied.signals, claims, private=sender.private)
        if (event_id := event.event_id.lower()) != event.event_id:
            event = msgspec.structs.replace(event, event_id=event_id)
        fingerprint = fingerprint_of(event)
        key = core.journal.dedupe.key_of(claims.subject, event_id)
        if self._seen(work, key, fingerprint):
            work.outcome.duplicate += 1
            return
        work.pending.append(Pending(event, checked, claims, fingerprint, private_texts(event, checked)))
        work.keys[key] = fingerprint
        if event.consent is not None:
            work.consents = True
        work.outcome.accepted += 1

    def _with_safe_ids(self, event: IncomingFeedback, outputs: tuple[str, ...]) -> IncomingFeedback:
        """The event with output ids as they are stored, which differ where an app's id held something private."""
        if event.output_id is not None and event.output_id not in outputs:
            event = msgspec.structs.replace(event, output_id=self._safe(event.output_id))
        if event.candidates:
            candidates = tuple(
                side if side.output_id in outputs else IncomingCandidate(self._safe(side.output_id), side.position)
                for side in event.candidates
            )
            event = msgspec.structs.replace(event, candidates=candidates)
        return event

    def _safe(self, output_id: str) -> str:
        return self._core.safe_id(output_id, self._core.redact([output_id])[0])

    def _seen(self, work: _Work, key: int, fingerprint: int) -> bool:
        known = self._core.journal.dedupe.find(key)
        here = work.keys.get(key)
        if known is None and here is None:
            return False
        if (known[0] if known else here) != fingerprint:
            raise Refusal(Code.CONFLICT, "$.event_id")
        if known and known[1] is not None:
            work.waits.append(known[1])
        return True

    def _refuse(self, work: _Work, index: int, item: Item, refusal: Refusal) -> None:
        raw = as_json(item) if isinstance(item, IncomingFeedback) else lenient(item)
        event_id = known_id(raw)
        placed = refusal.below(work.path.format(index))
        rejected = Rejected(index, event_id, placed.code, placed.path, placed.message)
        work.outcome.rejected.append(rejected)
        if refusal.code in NOT_KEPT:
            work.declined += refusal.code is Code.PRIVACY_SIGNAL
            return
        claims = refused_claims(self._core, work.sender, raw)
        row = self._core.bad_row(
            placed,
            harmless(self._core, raw, trusted=work.sender.claims is None, known=claims.outputs),
            source="feedback",
            claims=claims,
            channel=work.sender.channel,
        )
        rejected.bad_row_id = row.bad_row_id
        work.rows.append(row)

    def _records(self, work: _Work) -> list[Stored]:
        """Redacts what was accepted. Raises LogUnavailable."""
        core, pending = self._core, work.pending
        if not pending:
            return work.rows
        clean = core.redact_events([(each.texts, each.event.redact_hints) for each in pending])
        now = core.journal.now_ms()
        records: list[Stored] = [
            record(core, work.sender, each, texts, now) for each, texts in zip(pending, clean, strict=True)
        ]
        return records + work.rows if work.rows else records

    def _commit(self, work: _Work, records: list[Stored], done: Done) -> None:
        """Repetitions are counted, and answered only when what they repeat is durable."""
        journal, outcome = self._core.journal, work.outcome
        keys = list(work.keys.items())
        if not outcome.duplicate and not work.declined and records:
            journal.post(records, keys=keys, then=lambda error: tell(journal.law, outcome, done, error))
            return
        metas = _metas(work, journal.now_ms())
        if records:
            work.waits.append(journal.post(records, metas=metas, keys=keys))
        else:
            for meta in metas:
                journal.note(meta)
        if not work.waits:
            tell(journal.law, outcome, done, None)
            return
        waiting = asyncio.gather(*(commit.wait() for commit in work.waits))
        waiting.add_done_callback(lambda ended: tell(journal.law, outcome, done, _unavailable(ended)))


def _model(sender: Sender) -> Model:
    return TRUSTED if sender.claims is None else PLAIN


def _metas(work: _Work, now_ms: int) -> list[Meta]:
    metas: list[Meta] = [Duplicates(now_ms, work.outcome.duplicate)] if work.outcome.duplicate else []
    return [*metas, Declined(now_ms, work.declined)] if work.declined else metas


def _unavailable(ended: asyncio.Future[list[None]]) -> LogUnavailable | None:
    if ended.cancelled():
        return LogUnavailable("Stopping")
    error = ended.exception()
    return error if error is None or isinstance(error, LogUnavailable) else LogUnavailable("Failed")
