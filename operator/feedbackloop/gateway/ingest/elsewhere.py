"""Events and interactions whose session belongs to another pod: they go there, and its answer is the answer.

A token's events all belong to one session. A trusted server's batch may not: it is cut by owner, and every part is
judged under the places that its events had in the whole. When one owner is away the whole request is answered with
503: sent again, what was stored is a repetition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from feedbackloop.events.incoming import IncomingFeedback, IncomingInteraction
from feedbackloop.events.tokens import Claims
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest.bodies import Item, lenient
from feedbackloop.gateway.ingest.outcome import Done, Outcome
from feedbackloop.gateway.ingest.sender import Sender, claims_of, refused_claims
from feedbackloop.gateway.peers.client import PeerAway
from feedbackloop.gateway.peers.peers import Peers
from feedbackloop.gateway.wal import LogUnavailable

EVENTS, INTERACTION = "events", "interaction"
OWNER_AWAY = "OwnerAway"


class Forwarded(Struct, array_like=True, frozen=True):
    """A request as it goes to its owner: items as JSON, and who sends them."""

    items: tuple[bytes, ...]
    claims: Claims | None = None
    channel: str = ""
    private: bool = False
    verified: bool = False
    path: str = "$"
    indexes: tuple[int, ...] = ()
    """The places of the items in the request that the client made."""

    def sender(self) -> Sender:
        """Who sent it, marked so that it is not handed on again."""
        return Sender(self.claims, self.channel, self.private, self.verified, forwarded=True)


class Answered(Struct, array_like=True, frozen=True):
    """What the owner says of an interaction: the answer, or why it was refused."""

    posted: msgspec.Raw = msgspec.Raw(b"\xc0")
    code: str = ""
    path: str = ""


encode = msgspec.msgpack.Encoder().encode
_outcome = msgspec.msgpack.Decoder(Outcome)
_answered = msgspec.msgpack.Decoder(Answered)
_json = msgspec.json.Encoder().encode

TakeHere = Callable[[Sequence[Item], Sender, str, Done, Sequence[int]], None]
"""Takes items into this pod's log. Raises LogUnavailable."""


def by_owner(core: Core, peers: Peers, items: Sequence[Item], sender: Sender) -> dict[int | None, list[int]]:
    """The items' places by the pod that owns them; None is this one."""
    if sender.claims is not None:
        return {peers.owner_of(sender.claims.session, sender.claims.subject): list(range(len(items)))}
    found: dict[int | None, list[int]] = {}
    for index, item in enumerate(items):
        claims = _claims(core, item, sender)
        found.setdefault(peers.owner_of(claims.session, claims.subject), []).append(index)
    return found


def _claims(core: Core, item: Item, sender: Sender) -> Claims:
    if isinstance(item, IncomingFeedback):
        return claims_of(core, sender, item)
    return refused_claims(core, sender, lenient(item))


def hand_on(core: Core, items: Sequence[Item], sender: Sender, path: str, done: Done, take_here: TakeHere) -> bool:
    """Hands a request to its owners; False when all of it is this pod's. Raises LogUnavailable."""
    peers = core.peers
    if peers is None or sender.forwarded or not items:
        return False
    groups = by_owner(core, peers, items, sender)
    if set(groups) == {None}:
        return False
    here = msgspec.structs.replace(_forwarded(sender, path), indexes=tuple(groups.pop(None, ())))
    parts: list[Any] = [_here(items, here, take_here)] if here.indexes else []
    for owner, indexes in groups.items():
        if owner is not None:
            parts.append(_there(peers, owner, items, _forwarded(sender, path), indexes))
    peers.spawn(_together(parts, done))
    return True


def _forwarded(sender: Sender, path: str) -> Forwarded:
    return Forwarded((), sender.claims, sender.channel, sender.private, sender.verified, path)


async def _together(parts: list[Any], done: Done) -> None:
    """Waits for every part, and tells what became of the whole."""
    ended = await asyncio.gather(*parts, return_exceptions=True)
    whole = Outcome()
    for part in ended:
        if isinstance(part, Outcome):
            whole.accepted += part.accepted
            whole.duplicate += part.duplicate
            whole.rejected += part.rejected
    whole.rejected.sort(key=lambda rejected: rejected.index)
    failed = next((part for part in ended if isinstance(part, BaseException)), None)
    done(whole, _unavailable(failed) if failed else None)


def _unavailable(error: BaseException) -> LogUnavailable:
    if isinstance(error, PeerAway):
        return LogUnavailable(OWNER_AWAY)
    return error if isinstance(error, LogUnavailable) else LogUnavailable("Failed")


async def _here(items: Sequence[Item], part: Forwarded, take_here: TakeHere) -> Outcome:
    mine = [items[index] for index in part.indexes]
    return await outcome_of(lambda done: take_here(mine, part.sender(), part.path, done, part.indexes))


async def outcome_of(take: Callable[[Done], None]) -> Outcome:
    """The outcome of a call that tells it by callback. Raises LogUnavailable."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome, error: LogUnavailable | None) -> None:
        if not future.done():
            future.set_result(outcome) if error is None else future.set_exception(error)

    take(done)
    return await future


async def _there(peers: Peers, owner: int, items: Sequence[Item], part: Forwarded, indexes: list[int]) -> Outcome:
    """Raises PeerAway."""
    encoded = tuple(_encoded(items[index]) for index in indexes)
    message = msgspec.structs.replace(part, items=encoded, indexes=tuple(indexes))
    return _outcome.decode(await peers.ask(owner, EVENTS, encode(message)))


def _encoded(item: Item) -> bytes:
    return _json(item) if isinstance(item, IncomingFeedback) else bytes(item)


async def posted(core: Core, event: IncomingInteraction, key: tuple[str, str], sender: Sender) -> Answered | None:
    """The owner's answer to an interaction of (session, subject); None when it is this pod's. Raises LogUnavailable."""
    peers = core.peers
    owner = peers.owner_of(*key) if peers is not None and not sender.forwarded else None
    if peers is None or owner is None:
        return None
    message = msgspec.structs.replace(_forwarded(sender, "$"), items=(_json(event),))
    try:
        return _answered.decode(await peers.ask(owner, INTERACTION, encode(message)))
    except PeerAway:
        raise LogUnavailable(OWNER_AWAY) from None
