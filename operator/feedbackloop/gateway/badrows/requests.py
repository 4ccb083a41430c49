"""What the bad-row paths are asked."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from feedbackloop.gateway.badrows.pages import Cursor, Wanted

MAX_LIMIT = 500
_CURSOR = re.compile(r"([A-Za-z0-9.-]{1,253})/([0-9]{1,20})")
_ID = Annotated[str, Meta(max_length=64)]


class BadRequest(Exception):  # noqa: N818 - an answer, not an error
    """A parameter is wrong; `path` names it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


class ReplayBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/badrows:replay`: exactly one of `ids`, `code` and `all`."""

    ids: Annotated[tuple[_ID, ...], Meta(max_length=MAX_LIMIT)] = ()
    code: Annotated[str, Meta(max_length=64)] = ""
    all: bool = False
    after: Annotated[str, Meta(max_length=300)] = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = MAX_LIMIT


_replay = msgspec.json.Decoder(ReplayBody)


def listing(query: bytes) -> Wanted:
    """Raises BadRequest."""
    given = dict(parse_qsl(query.decode("latin-1")))
    if unknown := given.keys() - {"code", "limit", "after", "replayed"}:
        raise BadRequest("$", f"{len(unknown)} parameters are not known: there are code, limit, after, replayed")
    limit = given.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MAX_LIMIT:
        raise BadRequest("$.limit", f"must be a number from 1 to {MAX_LIMIT}")
    replayed = given.get("replayed") == "true"
    after = _cursor(given.get("after", ""))
    return Wanted(code=given.get("code", ""), limit=int(limit), after=after, replayed=replayed, whole=False)


def replaying(body: bytes) -> Wanted:
    """Raises BadRequest."""
    try:
        given = _replay.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise BadRequest("$", "must be JSON with ids (at most 500), code or all") from None
    if bool(given.ids) + bool(given.code) + given.all != 1:
        raise BadRequest("$", "give exactly one of ids, code and all")
    return Wanted(code=given.code, ids=frozenset(given.ids), after=_cursor(given.after), limit=given.limit)


def _cursor(text: str) -> Cursor:
    if not text:
        return ("", 0)
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise BadRequest("$.after", "must be the `next` of an earlier answer")
    return (match[1], int(match[2]))
