"""No subject may own the data set: `maxSubjectShare`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate.rows import Row


def cap(rows: Sequence[Row], share: Decimal | None) -> tuple[list[Row], list[Row]]:
    """Rows within the share, and those beyond it.

    A row counts against a subject when nobody else supports it. Dropping rows makes the whole
    smaller and the share stricter, so it is repeated until nothing more has to go.
    """
    kept, dropped = list(rows), list[Row]()
    while share is not None:
        over = _beyond(kept, max(1, int(share * len(kept))))
        if not over:
            break
        dropped += [row for row in kept if id(row) in over]
        kept = [row for row in kept if id(row) not in over]
    return kept, dropped


def _beyond(rows: Sequence[Row], allowed: int) -> frozenset[int]:
    """The ids of rows that single subjects contribute over `allowed`."""
    own: dict[str, list[Row]] = {}
    for row in rows:
        if len(row.subjects) == 1:
            own.setdefault(next(iter(row.subjects)), []).append(row)
    return frozenset(id(row) for mine in own.values() for row in sorted(mine, key=_place)[allowed:])


def _place(row: Row) -> str:
    return canonical.sha256(f"cap\n{row.prompt.key}\n{row.text}".encode())
