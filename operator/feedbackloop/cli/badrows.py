"""`feedbackloop badrows list|show|replay`: what a loop's schema refused."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from feedbackloop.cli import gateway
from feedbackloop.client import FeedbackError
from feedbackloop.client.sender import Sender

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

PATH, PAGE = "/v1/badrows", 500
_COLUMNS = ("bad_row_id", "received_at", "code", "path", "source", "channel")

Verb = Callable[[argparse.Namespace, Sender], int]


def register(commands: Commands) -> None:
    group = commands.add_parser("badrows", help="events that a loop's schema refused")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    _verb(verbs, "list", _list, "the rows that were not replayed yet").add_argument("--code", default="")
    _verb(verbs, "show", _show, "one row with what was sent, redacted").add_argument("id")
    replay = _verb(verbs, "replay", _replay, "take rows up again, under the schema of now")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("--code", default="", help="all rows of this code")
    which.add_argument("--all", action="store_true", help="all rows")
    which.add_argument("--id", action="append", dest="ids", metavar="ID", help="this row; may be repeated")


def _verb(verbs: Any, name: str, run: Verb, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.add_argument("loop", metavar="LOOP")
    gateway.add_options(parser)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.set_defaults(run=lambda wanted: _connected(wanted, run))
    return parser


def _connected(wanted: argparse.Namespace, run: Verb) -> int:
    """0 when it was done, 1 when some rows cannot be replayed, 2 when it could not be done."""
    try:
        with gateway.app_port(wanted, wanted.loop) as sender:
            return run(wanted, sender)
    except (gateway.NoGateway, FeedbackError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2


def _list(wanted: argparse.Namespace, sender: Sender) -> int:
    rows, waiting = list[dict[str, Any]](), 0
    for page in _pages(sender, {"code": wanted.code} if wanted.code else {}):
        rows += page["rows"]
        waiting = page["waiting"]
    if wanted.output == "json":
        print(json.dumps({"rows": rows, "waiting": waiting}))
        return 0
    for line in _table([_COLUMNS, *[tuple(str(row[name]) for name in _COLUMNS) for row in rows]]):
        print(line)
    if waiting:
        print(f"{waiting} more are not uploaded yet", file=sys.stderr)
    return 0


def _pages(sender: Sender, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = sender.get(f"{PATH}?{urlencode({**query, 'limit': PAGE} | ({'after': after} if after else {}))}")
        yield page
        after = page["next"]
        if not after:
            return


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _show(wanted: argparse.Namespace, sender: Sender) -> int:
    row = sender.get(f"{PATH}/{quote(wanted.id, safe='')}")
    if wanted.output == "json":
        print(json.dumps(row))
        return 0
    raw = row.pop("raw")
    for name, value in row.items():
        print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    print(raw if isinstance(raw, str) else json.dumps(raw, indent=2, ensure_ascii=False))
    return 0


def _replay(wanted: argparse.Namespace, sender: Sender) -> int:
    total = {"accepted": 0, "duplicate": 0, "refused": list[dict[str, str]](), "waiting": 0}
    for answer in _replays(wanted, sender):
        for name in ("accepted", "duplicate", "refused"):
            total[name] += answer[name]
        total["waiting"] = answer["waiting"]
    if wanted.output == "json":
        print(json.dumps(total))
    else:
        _told(total)
    return 1 if total["refused"] or total["waiting"] else 0


def _replays(wanted: argparse.Namespace, sender: Sender) -> Iterator[dict[str, Any]]:
    ids = wanted.ids or []
    for at in range(0, len(ids), PAGE):
        yield sender.post(f"{PATH}:replay", {"ids": ids[at : at + PAGE]})
    after = "" if not ids else None
    while after is not None:
        which = {"code": wanted.code} if wanted.code else {"all": True}
        answer = sender.post(f"{PATH}:replay", which | ({"after": after} if after else {}))
        yield answer
        after = answer["next"]


def _told(total: dict[str, Any]) -> None:
    print(f"{total['accepted']} accepted, {total['duplicate']} were there already, {len(total['refused'])} refused")
    for row in total["refused"]:
        print(f"  {row['bad_row_id']}: {row['code']} at {row['path']}: {row['message']}")
    if total["waiting"]:
        print(f"{total['waiting']} more are not uploaded yet: repeat this later")
