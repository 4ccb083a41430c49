"""Consents: what requests carry and what the consent API is told becomes entries of the ledger.

    POST /v1/consent   app port       {"subject_id" | "session_id", "state", "purposes"?}
    POST /v1/consent   feedback port  {"state"?: "withdrawn" | "refused", "purposes"?}, for the token's subject

Entries go into the same commit as what carried them. `202` means durable.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from feedbackloop.api.collection import Purpose
from feedbackloop.events.incoming import MAX_ID
from feedbackloop.events.ledger.consents import Source, State
from feedbackloop.events.records import ConsentRecord
from feedbackloop.events.tokens import Claims
from feedbackloop.gateway.asgi import Answer, answer, problem
from feedbackloop.gateway.wal import LogUnavailable

if TYPE_CHECKING:
    from feedbackloop.gateway.core import Core

PATH = "/v1/consent"
TOKEN_AGAIN_SECONDS = 60
"""A token may repeat a withdrawal so often, and the ledger grows by no more."""


class AppStatement(Struct, frozen=True, forbid_unknown_fields=True):
    """What an app says of one of its users."""

    state: State
    subject_id: str = ""
    session_id: str = ""
    """For a user without an id: the session they were in."""
    purposes: tuple[Purpose, ...] = ()


class TokenStatement(Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder of a feedback token says."""

    state: State = State.WITHDRAWN
    purposes: tuple[Purpose, ...] = ()


class Told(Struct, frozen=True):
    """The answer."""

    state: State
    purposes: tuple[Purpose, ...]


_S = TypeVar("_S")
_app = msgspec.json.Decoder(AppStatement)
_token = msgspec.json.Decoder(TokenStatement)

_NOT_JSON = problem(400, "not_json", "the body is not JSON")
_ONLY_WITHDRAWAL = problem(403, "forbidden", "a feedback token may only withdraw or refuse consent", path="$.state")
_NOBODY = problem(422, "missing_field", "subject_id, or session_id of a user without one, is required", path="$")
_TOO_LONG = problem(422, "too_large", f"ids have at most {MAX_ID} characters", path="$")
_BAD = problem(
    422,
    "bad_value",
    "state is given, refused or withdrawn; purposes is a list of Improve and Analyze; nothing else is known",
)


def effective(core: Core, subject: str, consent: bool | None) -> bool | None:
    """What the consent of a feedback token is worth: none after a refusal that this pod knows of."""
    if consent is not True or not core.journal.state.standings.any_refusal:
        return consent
    return not core.journal.state.standings.refused(subject, Purpose.IMPROVE)


def effective_of_request(core: Core, subject: str, consent: bool | None) -> bool | None:
    """The same for an interaction that carries the consent itself: only a withdrawal stands against it."""
    if consent is not True:
        return consent
    standings = core.journal.state.standings
    return not (standings.any_refusal and standings.state(subject, Purpose.IMPROVE) is State.WITHDRAWN)


def carried(core: Core, subject: str, consent: bool | None) -> tuple[ConsentRecord, ...]:
    """The entry of an interaction that carries consent, or its refusal; none when that is known already."""
    if consent is None:
        return ()
    state = State.GIVEN if consent else State.REFUSED
    standings, now = core.journal.state.standings, core.journal.now_ms()
    known = standings.state(subject, Purpose.IMPROVE)
    if known is State.WITHDRAWN or not standings.news(subject, Purpose.IMPROVE, state, now):
        return ()
    return (_entry(core, subject, Purpose.IMPROVE, state, Source.INTERACTION),)


def withdrawal(core: Core, subject: str, source: Source) -> tuple[ConsentRecord, ...]:
    """The entry of a feedback body or a browser that withdraws consent to training; none when it is known."""
    standings = core.journal.state.standings
    if not standings.news(subject, Purpose.IMPROVE, State.WITHDRAWN, core.journal.now_ms()):
        return ()
    return (_entry(core, subject, Purpose.IMPROVE, State.WITHDRAWN, source),)


def _entry(core: Core, subject: str, purpose: Purpose, state: State, source: Source) -> ConsentRecord:
    notice = core.applied.notice
    return ConsentRecord(
        event_id=str(uuid.uuid4()),
        received_at=core.journal.now_ms(),
        subject=subject,
        purpose=purpose.value,
        state=state.value,
        source=source.value,
        policy_version=notice.policy_version,
        policy_sha256=notice.sha256,
    )


async def tell(core: Core, body: bytes) -> Answer:
    """`POST /v1/consent` of the app port."""
    statement = _decoded(_app, body)
    if isinstance(statement, Answer):
        return statement
    if not statement.subject_id and not statement.session_id:
        return _NOBODY
    if max(len(statement.subject_id), len(statement.session_id)) > MAX_ID:
        return _TOO_LONG
    subject = core.subject_of(statement.subject_id, statement.session_id, "")
    purposes = _purposes(core, statement.purposes, statement.state)
    entries = [_entry(core, subject, purpose, statement.state, Source.APP) for purpose in purposes]
    await core.journal.submit(entries)
    return answer(202, Told(statement.state, purposes))


def tell_by_token(
    core: Core,
    claims: Claims,
    body: bytes,
    reply: Callable[[Answer], None],
    unavailable: Callable[[LogUnavailable], Answer],
) -> None:
    """`POST /v1/consent` of the feedback port; `reply` is called once, when it is durable or cannot be.

    Raises LogUnavailable at once when the log takes nothing.
    """
    statement = _decoded(_token, body or b"{}")
    if isinstance(statement, Answer):
        return reply(statement)
    if statement.state is State.GIVEN:
        return reply(_ONLY_WITHDRAWAL)
    purposes = _purposes(core, statement.purposes, statement.state)
    told = answer(202, Told(statement.state, purposes))
    entries = list(_by_token(core, claims.subject, purposes, statement.state))
    if not entries:
        return reply(told)
    core.journal.post(entries, then=lambda error: reply(told if error is None else unavailable(error)))
    return None


def _by_token(core: Core, subject: str, purposes: Iterable[Purpose], state: State) -> Iterable[ConsentRecord]:
    standings, now = core.journal.state.standings, core.journal.now_ms()
    for purpose in purposes:
        if standings.news(subject, purpose, state, now, again_seconds=TOKEN_AGAIN_SECONDS):
            yield _entry(core, subject, purpose, state, Source.TOKEN)


def _purposes(core: Core, named: tuple[Purpose, ...], state: State) -> tuple[Purpose, ...]:
    """Those that are named; else those that are asked for, or, when somebody refuses, all there are."""
    asked = core.applied.config.collection.consent.purposes
    return tuple(dict.fromkeys(named or (asked if state is State.GIVEN else tuple(Purpose))))


def _decoded(decoder: msgspec.json.Decoder[_S], body: bytes) -> _S | Answer:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return _BAD
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _NOT_JSON
