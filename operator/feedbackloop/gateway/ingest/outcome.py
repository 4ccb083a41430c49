"""What becomes of a request's events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from feedbackloop.events.validation import NOT_KEPT, Code
from feedbackloop.gateway.law import Law
from feedbackloop.gateway.wal import LogUnavailable


class NotJson(Exception):  # noqa: N818
    """The body is not JSON at all."""


class TooManyEvents(Exception):  # noqa: N818
    """More events in one request than allowed."""


class Rejected(msgspec.Struct, omit_defaults=True):
    """One refused event, as the answer shows it."""

    index: int
    event_id: str | None
    code: str
    path: str
    message: str
    bad_row_id: str | None = None
    """Under which the row is kept; unset when it is not kept."""


@dataclass(slots=True)
class Outcome:
    """What became of a request's events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def status(self) -> int:
        """202 when something was accepted or nothing was wrong, 403 when all was forbidden, 422 when all was bad."""
        if self.accepted or self.duplicate or not self.rejected:
            return 202
        codes = {rejected.code for rejected in self.rejected}
        if codes <= {Code.PRIVACY_SIGNAL}:
            return 202
        return 403 if codes <= NOT_KEPT else 422


Done = Callable[[Outcome, LogUnavailable | None], None]


def tell(law: Law, outcome: Outcome, done: Done, error: LogUnavailable | None) -> None:
    """Answers, and keeps count of what was answered: by the outcome, whatever the log holds."""
    events = outcome.accepted + outcome.duplicate
    if outcome.rejected:
        events += sum(1 for each in outcome.rejected if each.bad_row_id)
    law.told(events, stored=error is None)
    done(outcome, error)
