"""Bad rows in object storage, page by page. Blocking; for a thread."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import msgspec

from feedbackloop.events.keys import Kek
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import BadRow
from feedbackloop.events.store import BAD_ROWS, read_badrows
from feedbackloop.gateway.badrows.marks import Marks

MAX_SCANNED = 20_000
"""Rows that one request looks at; the next one goes on behind them."""
MAX_PAGE_BYTES = 4 << 20

Cursor = tuple[str, int]
"""Pod and number of the last row that was looked at."""


@dataclass(frozen=True)
class Wanted:
    """Which rows."""

    code: str = ""
    ids: Collection[str] = ()
    """Only these; empty for all."""
    after: Cursor = ("", 0)
    limit: int = 50
    replayed: bool = False
    """Those too that were replayed before."""
    whole: bool = True
    """With what was sent; without it a row is small."""


@dataclass
class Page:
    """Rows in order, and where to go on; `next` is None at the end."""

    rows: list[tuple[BadRow, bool]] = field(default_factory=list)
    """Each with whether it was replayed."""
    next: Cursor | None = None


class Pages:
    """The bad rows of all pods of the loop."""

    def __init__(self, objects: Callable[[], ObjectClient], kek: Kek) -> None:
        self._objects, self._kek, self._marks = objects, kek, Marks()

    def read(self, prefix: str, wanted: Wanted) -> Page:
        """Raises StorageUnavailable and other EventsErrors."""
        objects = self._objects()
        done = self._marks.read(objects, f"{prefix}{BAD_ROWS}/")
        page, size = Page(), 0
        for scanned, row in enumerate(read_badrows(objects, prefix, self._kek, after=wanted.after)):
            if (row.pod, row.seq) <= wanted.after:
                continue
            if len(page.rows) >= wanted.limit or size > MAX_PAGE_BYTES or scanned > MAX_SCANNED:
                return page
            page.next = (row.pod, row.seq)
            replayed = row.bad_row_id in done
            if _fits(row, wanted, replayed):
                page.rows.append((row if wanted.whole else msgspec.structs.replace(row, raw=""), replayed))
                size += len(row.raw) if wanted.whole else 0
        page.next = None
        return page

    def mark(self, prefix: str, pod: str, ids: Collection[str]) -> None:
        """Remembers that rows were replayed, for all pods and for ever. Raises StorageUnavailable."""
        self._marks.write(self._objects(), f"{prefix}{BAD_ROWS}/{pod}/", ids)


def _fits(row: BadRow, wanted: Wanted, replayed: bool) -> bool:
    if wanted.ids:
        return row.bad_row_id in wanted.ids
    return wanted.code in ("", row.code) and (wanted.replayed or not replayed)
