"""What holds, from the entries of the consent ledger: a pure fold, in which repetitions change nothing.

The newest entry of a (subject, purpose) holds, in the order of time, pod and number. One exception protects
people: `given` that came along with a request (`Source.INTERACTION`) says what an app believes, and does not
lift a withdrawal, which may have reached us past the app. `given` by the consent API does.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from feedbackloop.events.records import ConsentRecord


class State(StrEnum):
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Source(StrEnum):
    """Where an entry came from."""

    APP = "app"
    """The consent API of the app port."""
    INTERACTION = "interaction"
    """A proxied request's header, or a posted interaction."""
    BODY = "body"
    """A feedback body."""
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    """The consent API of the feedback port."""
    BROWSER = "browser"
    """Sec-GPC or DNT."""
    OPERATOR = "operator"


class Standing(NamedTuple):
    """What holds for one subject and purpose. Times are Unix milliseconds."""

    state: str
    at: int
    refused_at: int = -1
    """When it was last refused or withdrawn; -1 when it never was."""

    def allows(self, at: int) -> bool:
        """Whether data of that time may be used: no refusal holds, and none came later than the data."""
        return self.state == State.GIVEN and self.refused_at < at


Standings = dict[tuple[str, str], Standing]
"""By subject and purpose."""


def latest(records: Iterable[ConsentRecord]) -> Standings:
    """What holds after all these entries, in whatever order they are given."""
    standings: Standings = {}
    for record in sorted(records, key=lambda entry: (entry.received_at, entry.pod, entry.seq)):
        key = (record.subject, record.purpose)
        standings[key] = after(standings.get(key), record)
    return standings


def after(before: Standing | None, record: ConsentRecord) -> Standing:
    """The standing after one more entry."""
    at = record.received_at
    if record.state != State.GIVEN:
        return Standing(record.state, at, at)
    if before is not None and before.state == State.WITHDRAWN and record.source == Source.INTERACTION:
        return before
    return Standing(State.GIVEN, at, before.refused_at if before is not None else -1)


def forbidden(standings: Standings, subject: str, purpose: str, at: int) -> bool:
    """Whether the ledger speaks against using a subject's data of that time; silence does not."""
    standing = standings.get((subject, purpose))
    return standing is not None and not standing.allows(at)
