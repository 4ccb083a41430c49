"""`feedbackloop import SOURCE FILE`: another tool's export into a loop, as often as you like."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedbackloop.cli import gateway
from feedbackloop.client import FeedbackError, Result
from feedbackloop.client.signals import declared
from feedbackloop.importers import files, langfuse, mlflow, openwebui
from feedbackloop.importers.model import Found, with_consent
from feedbackloop.importers.run import Summary, run
from feedbackloop.importers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

SOURCES = (openwebui.SOURCE, langfuse.SOURCE, mlflow.SOURCE)
SHOWN = 20


def register(commands: Commands) -> None:
    command = commands.add_parser("import", help="feedback of another tool")
    command.description = (
        "Ids are made from the source's own, so an import that broke off is simply repeated: "
        "what is there already is a duplicate."
    )
    command.add_argument("source", choices=SOURCES)
    command.add_argument("file", type=Path, help="the export: JSON, or JSON lines")
    command.add_argument("--loop", help="the loop, when kubectl is to find its gateway")
    gateway.add_options(command)
    command.add_argument("--traces", type=Path, metavar="FILE", help="langfuse: traces or observations")
    command.add_argument(
        "--signal-map",
        type=_map,
        default={},
        metavar="A=B,…",
        help="names (or reason codes) of the source to the loop's",
    )
    command.add_argument(
        "--consent",
        choices=("train", "no-train"),
        help="what its people agreed to; nothing unless you say so",
    )
    command.add_argument("--dry-run", action="store_true", help="map and report, send nothing")
    command.add_argument("-o", "--output", choices=("text", "json"), default="text")
    command.set_defaults(run=_import)


def _map(given: str) -> Mapping[str, str]:
    pairs = [part.partition("=") for part in given.split(",") if part]
    if not all(name and value for name, _, value in pairs):
        raise argparse.ArgumentTypeError("must be like user-feedback=helpful,comment=note")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _import(wanted: argparse.Namespace) -> int:
    """0 when everything is in the loop, 1 when some rows are not, 2 when it could not be done."""
    try:
        rows = files.rows(wanted.file)
        traces = files.rows(wanted.traces) if wanted.traces else []
        with gateway.app_port(wanted, wanted.loop, channel="import") as sender:
            words = Vocabulary(declared(sender.signals()), wanted.signal_map)
            found = with_consent(_convert(wanted.source, rows, traces, words), _consent(wanted.consent))
            summary = run(found, _Nowhere() if wanted.dry_run else sender, _Progress(len(rows)))
    except (files.BadFile, gateway.NoGateway, FeedbackError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    _report(summary, wanted)
    return 0 if summary.complete else 1


def _consent(given: str | None) -> bool | None:
    return None if given is None else given == "train"


def _convert(source: str, rows: list[Any], traces: list[Any], words: Vocabulary) -> Iterable[Found]:
    if source == openwebui.SOURCE:
        return openwebui.convert(rows, words)
    return langfuse.convert(rows, words, traces) if source == langfuse.SOURCE else mlflow.convert(rows, words)


class _Nowhere:
    """Takes everything and sends nothing."""

    def interaction(self, _body: dict[str, Any]) -> dict[str, Any]:
        return {}

    def events(self, events: list[dict[str, Any]]) -> Result:
        return Result(accepted=len(events))


class _Progress:
    """One line on a terminal, rewritten."""

    def __init__(self, rows: int) -> None:
        self._rows, self._shown = rows, sys.stderr.isatty()

    def __call__(self, summary: Summary) -> None:
        if self._shown:
            sent = f"{summary.interactions} interactions, {summary.events} events, {summary.duplicate} known already"
            print(f"\r{self._rows} rows: {sent}", end="", file=sys.stderr, flush=True)


def _report(summary: Summary, wanted: argparse.Namespace) -> None:
    counts = {
        "interactions": summary.interactions,
        "events": summary.events,
        "duplicate": summary.duplicate,
        "refused": [{"event_id": name, "why": why} for name, why in summary.refused],
        "skipped": [{"row": skipped.where, "why": skipped.why} for skipped in summary.skipped],
    }
    if wanted.output == "json":
        print(json.dumps(counts | {"dryRun": wanted.dry_run}))
        return
    verb = "would import" if wanted.dry_run else "imported"
    known = f"{summary.duplicate} were there already"
    print(f"{verb} {summary.interactions} interactions, {summary.events} events; {known}")
    _list("refused by the loop's schema", summary.refused)
    _list("not imported", [(skipped.where, skipped.why) for skipped in summary.skipped])


def _list(title: str, items: list[tuple[str, str]]) -> None:
    if items:
        print(f"{len(items)} {title}:")
        for name, why in items[:SHOWN]:
            print(f"  {name}: {why}")
        if len(items) > SHOWN:
            print(f"  … and {len(items) - SHOWN} more (all of them with -o json)")
