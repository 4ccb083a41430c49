"""What the handlers share: configuration, keys, journal. One object a process."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.keys import LoopKeys
from feedbackloop.events.records import BadRow, InteractionRecord
from feedbackloop.events.scrub import MAX_RAW, scrubbed
from feedbackloop.events.tokens import Claims, TokenSealer
from feedbackloop.events.validation import Checked, Refusal
from feedbackloop.gateway import consent
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.meta import Served
from feedbackloop.gateway.peers.peers import Peers
from feedbackloop.gateway.wal import LogUnavailable

MAX_INTERACTION = 32 << 20
"""Characters of a refused interaction that are kept: all that the ports let in, so that it can be replayed."""
_NOBODY = Claims("", "", ())


class Harmless(NamedTuple):
    """A refused event without the ids and hints that would tell of somebody; its texts are not redacted yet."""

    raw: Any
    hints: Sequence[str] = ()
    ids: Collection[str] = ()
    """Ids in it that are harmless as they are."""
    event_id: str = ""
    """Set when it is a well-formed UUID."""


@dataclass
class Core:
    """The gateway's parts as the handlers see them; `applied` is replaced when a configuration comes."""

    applied: Applied
    journal: Journal
    keys: LoopKeys
    sealer: TokenSealer
    metrics: Counter[str] = field(default_factory=Counter)
    draining: bool = False
    peers: Peers | None = None
    """The other pods; unset while there is one replica."""

    async def keep(self, record: InteractionRecord) -> None:
        """Returns when a proxied interaction is durable, in the log of the pod that owns it. Raises LogUnavailable.

        The consent that it carries is stored here: any pod may hold an entry of the ledger.
        """
        entries = consent.carried(self, record.subject, record.consent)
        if self.peers is None:
            await self.journal.submit([record, *entries])
            return
        if entries:
            await self.journal.submit(entries)
        await self.peers.keep(record)

    def served(self, entry: Served) -> None:
        """A proxied request left no interaction."""
        self.journal.note(entry)
        if self.peers is not None:
            self.peers.tell(entry)

    def subject_of(self, subject_id: str, session_id: str, output_id: str) -> str:
        """The pseudonym of the user: by subject id, else by session, else nobody but this output's reader."""
        if subject_id:
            return self.keys.pseudonym_of("subject", subject_id)
        if session_id:
            return self.keys.pseudonym_of("anonymous", session_id)
        return self.keys.pseudonym_of("output", output_id)

    def session_of(self, session_id: str) -> str:
        return self.keys.pseudonym_of("session", session_id) if session_id else ""

    def tenant_of(self, tenant_id: str) -> str:
        return self.keys.pseudonym_of("tenant", tenant_id) if tenant_id else ""

    def dimension_of(self, signal: str) -> str:
        """What a signal of the loop judges."""
        declared = self.applied.signals.get(signal)
        return declared.dimension.value if declared is not None and declared.dimension is not None else ""

    def token(self, claims: Claims) -> str:
        """The feedback token with these claims, valid from their start on as long as the loop's tokens are."""
        lifetime = self.applied.config.collection.browser.token_seconds * 1000
        return self.sealer.seal(msgspec.structs.replace(claims, expires_at=claims.started_at + lifetime))

    def redact(self, texts: list[str], hints: Sequence[str] = ()) -> list[str]:
        """The redacted texts of one event. Raises LogUnavailable when the scanner fails: then nothing may be stored."""
        try:
            return self.applied.redactor.redact(texts, hints)
        except RedactionFailed:
            self.metrics["redaction_failures"] += 1
            raise LogUnavailable("RedactionFailed") from None

    def redact_events(self, events: Sequence[tuple[list[str], Sequence[str]]]) -> list[list[str]]:
        """The redacted texts of several events, from their texts and hints; placeholders are counted in each anew.

        One scan over all of them, and another one of each only where there is something to replace.
        """
        if len(events) > 1 and not any(hints for _, hints in events):
            together = [text for texts, _ in events for text in texts]
            counted = self.applied.redactor.replaced.copy()
            if not together or self.redact(together) == together:
                return [texts for texts, _ in events]
            self.applied.redactor.replaced = counted  # what is found is counted when it is replaced for good
        return [self.redact(texts, hints) if texts else texts for texts, hints in events]

    def knows(self, checked: Checked) -> bool:
        """Whether the outputs of an event were seen here, as far as is remembered."""
        outputs = (checked.output_id, *(side.output_id for side in checked.candidates))
        return all(self.journal.state.outputs.knows(output_id) for output_id in outputs if output_id)

    def safe_id(self, original: str, redacted: str) -> str:
        """A client's id as it may be stored: itself, or a pseudonym when there is something private in it."""
        return original if original == redacted else "id-" + self.keys.pseudonym_of("id", original)[:24]

    def bad_row(self, refusal: Refusal, kept: Harmless, *, source: str, claims: Claims | None = None,
                channel: str = "") -> BadRow:  # fmt: skip
        """A refused event, its texts made harmless. Raises LogUnavailable when the scanner fails."""
        limit = MAX_RAW if source == "feedback" else MAX_INTERACTION
        try:
            text = scrubbed(kept.raw, self.applied.redactor, kept.hints, keep=kept.ids, limit=limit)
        except RedactionFailed:
            raise LogUnavailable("RedactionFailed") from None
        self.metrics[f"bad_rows_{refusal.code}"] += 1
        said = claims or _NOBODY
        return BadRow(
            bad_row_id=f"b-{uuid.uuid4().hex}",
            received_at=self.journal.now_ms(),
            code=refusal.code,
            path=refusal.path,
            raw=text,
            event_id=kept.event_id,
            source=source,
            subject=said.subject,
            outputs=said.outputs,
            session=said.session,
            arm=said.arm,
            run_uid=said.run_uid,
            epoch=said.epoch,
            started_at=said.started_at,
            consent=said.consent,
            tenant=said.tenant,
            stream="verified" if said.verified else "unverified",
            channel=channel,
            by_header=said.by_header,
        )
