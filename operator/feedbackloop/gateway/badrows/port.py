"""Listing, showing and replaying bad rows on the app port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from feedbackloop.events.errors import EventsError, StorageUnavailable
from feedbackloop.events.records import BadRow
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway import audit
from feedbackloop.gateway.asgi import Answer, Receive, Scope, answer, problem, read_body
from feedbackloop.gateway.badrows.pages import Cursor, Page, Pages, Wanted
from feedbackloop.gateway.badrows.requests import BadRequest, listing, replaying
from feedbackloop.gateway.checkpoint import Uploaded
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest.replay import Replay, replay
from feedbackloop.gateway.wal import LogUnavailable

LIST, REPLAY = "/v1/badrows", "/v1/badrows:replay"
MAX_BODY = 64 << 10
UPLOAD_SECONDS = 5.0
"""How long a request waits for rows that are still on the volume."""
RETRY_AFTER = 5
_NO_SUCH = {"code": "unknown_id", "path": "$.ids", "message": "no stored bad row has this id"}


class Uploading(Protocol):
    """What is needed of the uploader."""

    uploaded: Uploaded

    def seal_now(self) -> None:
        """Seals what is open, so that it is uploaded next."""


class BadRowsPort:
    """For the holder of the app token. One request at a time: they read a lot."""

    def __init__(self, core: Core, uploader: Uploading, pages: Pages, pod: str) -> None:
        self._core, self._uploader, self._pages, self._pod = core, uploader, pages, pod
        self._one = asyncio.Lock()

    @staticmethod
    def serves(path: str) -> bool:
        return path in (LIST, REPLAY) or path.startswith(LIST + "/")

    async def take(self, scope: Scope, receive: Receive) -> Answer:
        """Raises TooLarge, Disconnected."""
        method, path = scope["method"], str(scope["path"])
        body = await read_body(scope, receive, MAX_BODY) if method == "POST" else b""
        async with self._one:
            try:
                if (method, path) == ("POST", REPLAY):
                    return await self._replay(replaying(body))
                if (method, path) == ("GET", LIST):
                    return await self._list(listing(scope.get("query_string", b"")))
                if method == "GET" and path != REPLAY:
                    return await self._show(path.removeprefix(LIST + "/"))
            except BadRequest as error:
                return problem(400, "bad_request", error.message, path=error.path)
            except (EventsError, LogUnavailable) as error:
                reason = (
                    error.reason if isinstance(error, StorageUnavailable | LogUnavailable) else type(error).__name__
                )
                return problem(503, "unavailable", f"cannot be read or stored now: {reason}", retry_after=RETRY_AFTER)
        return problem(405, "method_not_allowed", "GET lists and shows, POST /v1/badrows:replay replays")

    async def _list(self, wanted: Wanted) -> Answer:
        waiting = await self._uploaded()
        page = await self._read(wanted)
        rows = [_summary(row, replayed) for row, replayed in page.rows]
        return answer(200, {"rows": rows, "next": _cursor(page.next), "waiting": waiting})

    async def _show(self, bad_row_id: str) -> Answer:
        await self._uploaded()
        page = await self._whole(Wanted(ids=frozenset({bad_row_id}), limit=1))
        if not page.rows:
            return problem(404, "unknown_id", "no stored bad row has this id")
        row, replayed = page.rows[0]
        return answer(200, _summary(row, replayed) | {"outputs": row.outputs, "raw": _raw(row.raw)})

    async def _replay(self, wanted: Wanted) -> Answer:
        waiting = await self._uploaded()
        page = await self._whole(wanted) if wanted.ids else await self._read(wanted)
        rows = [row for row, _ in page.rows]
        # What any pod has replayed is not stored again, whichever log it went to.
        before = sum(replayed for _, replayed in page.rows)
        outcome = await replay(self._core, [row for row, replayed in page.rows if not replayed])
        if stored := [*outcome.accepted, *outcome.duplicate]:
            await asyncio.to_thread(self._pages.mark, self._prefix, self._pod, stored)
        if outcome.accepted:
            audit.audit(self._core.journal, audit.BAD_ROWS_REPLAYED, actor="app", rows=len(outcome.accepted))
        missing = sorted(set(wanted.ids) - {row.bad_row_id for row in rows})
        told = _told(outcome, before) | {"next": _cursor(page.next), "waiting": waiting}
        told["refused"] += [{"bad_row_id": one, **_NO_SUCH} for one in missing]
        return answer(200, told)

    async def _whole(self, wanted: Wanted) -> Page:
        """The rows of some ids, however far they are to be looked for."""
        whole = await self._read(wanted)
        while whole.next is not None and len(whole.rows) < len(wanted.ids):
            page = await self._read(replace(wanted, after=whole.next))
            whole = Page(whole.rows + page.rows, page.next)
        return Page(whole.rows, None)

    async def _read(self, wanted: Wanted) -> Page:
        return await asyncio.to_thread(self._pages.read, self._prefix, wanted)

    @property
    def _prefix(self) -> str:
        return self._core.applied.config.storage.prefix

    async def _uploaded(self) -> int:
        """Lets this pod's own rows be uploaded; how many are not yet, after a while."""
        state, wanted = self._core.journal.state, self._core.journal.state.bad_rows
        if self._uploader.uploaded.bad_rows < wanted:
            self._uploader.seal_now()
            await _until(lambda: self._uploader.uploaded.bad_rows >= wanted, UPLOAD_SECONDS)
        return max(0, state.bad_rows - self._uploader.uploaded.bad_rows)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, StorageUnavailable | LogUnavailable) else type(error).__name__


def _cursor(cursor: Cursor | None) -> str | None:
    return None if cursor is None else f"{cursor[0]}/{cursor[1]}"


def _summary(row: BadRow, replayed: bool) -> dict[str, Any]:
    return {
        "bad_row_id": row.bad_row_id,
        "received_at": datetime.fromtimestamp(row.received_at / 1000, UTC).isoformat(timespec="milliseconds"),
        "code": row.code,
        "path": row.path,
        "source": row.source,
        "channel": row.channel,
        "event_id": row.event_id,
        "subject": row.subject,
        "pod": row.pod,
        "seq": row.seq,
        "replayed": replayed,
    }


def _raw(text: str) -> Any:
    """What was kept of the event, as JSON when it is JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text


def _told(outcome: Replay, before: int) -> dict[str, Any]:
    def why(bad_row_id: str, refusal: Refusal) -> dict[str, str]:
        return {"bad_row_id": bad_row_id, "code": refusal.code, "path": refusal.path, "message": refusal.message}

    refused = [why(bad_row_id, refusal) for bad_row_id, refusal in outcome.refused.items()]
    return {"accepted": len(outcome.accepted), "duplicate": len(outcome.duplicate) + before, "refused": refused}
