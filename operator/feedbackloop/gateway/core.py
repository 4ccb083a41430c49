"""What the handlers share: configuration, keys, journal. One object a process."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field

from feedbackloop.api.gateway import Arm
from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.keys import LoopKeys
from feedbackloop.events.records import BadRow
from feedbackloop.events.scrub import scrubbed
from feedbackloop.events.tokens import Claims, TokenSealer
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.wal import LogUnavailable

TOKEN_MS = 30 * 24 * 3600 * 1000


@dataclass
class Core:
    """The gateway's parts as the handlers see them; `applied` is replaced when a configuration comes."""

    applied: Applied
    journal: Journal
    keys: LoopKeys
    sealer: TokenSealer
    metrics: Counter[str] = field(default_factory=Counter)
    draining: bool = False

    def subject_of(self, subject_id: str, session_id: str, output_id: str) -> str:
        """The pseudonym of the user: by subject id, else by session, else nobody but this output's reader."""
        if subject_id:
            return self.keys.pseudonym_of("subject", subject_id)
        if session_id:
            return self.keys.pseudonym_of("anonymous", session_id)
        return self.keys.pseudonym_of("output", output_id)

    def session_of(self, session_id: str) -> str:
        return self.keys.pseudonym_of("session", session_id) if session_id else ""

    def token(self, *, subject: str, session: str, outputs: tuple[str, ...], consent: bool | None, now_ms: int,
              arm: Arm | None = None, run_uid: str = "", epoch: int = 0) -> str:  # fmt: skip
        """A feedback token about these outputs for this subject."""
        return self.sealer.seal(
            Claims(
                subject=subject,
                session=session,
                outputs=outputs,
                arm=arm or "",
                run_uid=run_uid,
                epoch=epoch,
                started_at=now_ms,
                expires_at=now_ms + TOKEN_MS,
                consent=consent,
            )
        )

    def redact(self, texts: list[str]) -> list[str]:
        """Redacted texts. Raises LogUnavailable when the scanner fails: then nothing may be stored."""
        try:
            return self.applied.redactor.redact(texts)
        except RedactionFailed:
            self.metrics["redaction_failures"] += 1
            raise LogUnavailable("RedactionFailed") from None

    def safe_id(self, original: str, redacted: str) -> str:
        """A client's id as it may be stored: itself, or a pseudonym when there is something private in it."""
        return original if original == redacted else "id-" + self.keys.pseudonym_of("id", original)[:24]

    def bad_row(self, refusal: Refusal, raw: object, *, source: str, subject: str = "", event_id: str = "",
                outputs: tuple[str, ...] = ()) -> BadRow:  # fmt: skip
        """A refused event, made harmless. Raises LogUnavailable when the scanner fails."""
        try:
            text = scrubbed(raw, self.applied.redactor)
        except RedactionFailed:
            raise LogUnavailable("RedactionFailed") from None
        self.metrics[f"bad_rows_{refusal.code}"] += 1
        return BadRow(
            bad_row_id=f"b-{uuid.uuid4().hex}",
            received_at=self.journal.now_ms(),
            code=refusal.code,
            path=refusal.path,
            raw=text,
            event_id=event_id,
            source=source,
            subject=subject,
            outputs=outputs,
        )
