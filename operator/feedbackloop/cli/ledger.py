"""`feedbackloop ledger verify PATH|s3://bucket/prefix/ --public-key HEX`: is every chain whole, and whose is it?

Only the files and the public key are needed; `python -m feedbackloop.events.ledger.verify` does the same where
nothing but `cryptography` is installed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feedbackloop.events.ledger import verify

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

_KEY = re.compile(r"[0-9a-f]{64}")


def register(commands: Commands) -> None:
    ledger = commands.add_parser("ledger", help="the ledger of consents and of what was done")
    verbs = ledger.add_subparsers(metavar="VERB", required=True)
    check = verbs.add_parser(
        "verify",
        help="check every chain and name the first bad entry",
        description="Exit code 0: every chain is good; 1: one is not, or there is none; 2: it cannot be read.",
    )
    check.add_argument("place", help="a folder, or s3://bucket/<prefix><loop uid>/")
    check.add_argument("--public-key", required=True, type=_public_key, help="64 hex digits, from a gateway's status")
    check.add_argument(
        "--head",
        action="append",
        default=[],
        type=verify.parse_head,
        metavar="ORIGIN=SEQ:HASH",
        help="a head that was seen before; betrays an end that was cut off",
    )
    check.add_argument("--endpoint-url", help="the S3 endpoint; credentials come from the environment or a profile")
    check.add_argument("--region", default="us-east-1")
    check.add_argument("--output", choices=("text", "json"), default="text")
    check.set_defaults(run=_verify)


def _public_key(text: str) -> str:
    if not _KEY.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError("a public key has 64 hex digits")
    return text.lower()


def _verify(wanted: argparse.Namespace) -> int:
    try:
        files = _files(wanted)
    except _Unreadable as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    reports = verify.verify(files, wanted.public_key, verify.grouped(wanted.head))
    if wanted.output == "text":
        return verify.tell(reports)
    print(json.dumps([_as_json(report) for report in reports]))
    return int(not reports or any(report.problem for report in reports))


def _as_json(report: verify.Report) -> dict[str, object]:
    problem = report.problem
    return {
        "origin": report.origin,
        "entries": report.head.seq,
        "head": report.head.hash,
        "problem": None if problem is None else vars(problem),
    }


class _Unreadable(Exception):  # noqa: N818
    """The place cannot be read."""


def _files(wanted: argparse.Namespace) -> dict[str, bytes]:
    if not wanted.place.startswith("s3://"):
        folder = Path(wanted.place)
        if not folder.is_dir():
            raise _Unreadable(f"{folder}: is no folder")
        return verify.read_directory(folder)
    return _stored(wanted)


def _stored(wanted: argparse.Namespace) -> dict[str, bytes]:
    from feedbackloop.jobs.errors import JobError
    from feedbackloop.jobs.modelstore import connect

    bucket, _, prefix = wanted.place.removeprefix("s3://").partition("/")
    below = prefix if prefix.rstrip("/").endswith("ledger") else f"{prefix}ledger/"
    try:
        store = connect(wanted.endpoint_url, bucket, wanted.region)
        keys = [key for key in store.keys(below) if key.endswith(".jsonl")]
        return {"/".join(key.split("/")[-2:]): store.get(key) or b"" for key in keys}
    except (JobError, ValueError) as error:
        raise _Unreadable(str(error)) from None
