"""`feedbackloop status LOOP|RUN`: where a loop or a run stands, and what it waits for."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from feedbackloop.cli import kubectl
from feedbackloop.cli.kubectl import LOOPS, RUNS, Json, KubectlError
from feedbackloop.cli.view.loop import loop_lines
from feedbackloop.cli.view.run import run_lines
from feedbackloop.cli.view.text import Style

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

NARROWEST, WIDEST = 60, 140
_CLEAR = "\x1b[H\x1b[2J"


def register(commands: Commands) -> None:
    parser = commands.add_parser("status", help="where a loop or a run stands, and what it waits for")
    parser.add_argument("name", metavar="LOOP|RUN", help="a FeedbackLoop or an ImprovementRun")
    parser.add_argument("-n", "--namespace", default="", help="its namespace (kubectl's current one)")
    parser.add_argument("-w", "--watch", action="store_true", help="again every two seconds, until interrupted")
    parser.set_defaults(run=_command)


def _command(wanted: argparse.Namespace) -> int:
    """0 when it is there, 2 when it is not or could not be asked for."""
    try:
        while True:
            text = "\n".join(shown(wanted.name, wanted.namespace, style_of(sys.stdout), datetime.now(UTC)))
            print(f"{_CLEAR if wanted.watch and sys.stdout.isatty() else ''}{text}", flush=True)
            if not wanted.watch:
                return 0
            time.sleep(2.0)
    except KubectlError as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def style_of(stream: TextIO) -> Style:
    """No colours where nobody sees them (https://no-color.org), no box characters where they cannot be printed."""
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((100, 24)).columns
    unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
    return Style(min(max(width, NARROWEST), WIDEST), terminal and "NO_COLOR" not in os.environ, unicode)


def shown(name: str, namespace: str, style: Style, now: datetime) -> list[str]:
    """The lines; a loop goes before a run of the same name."""
    loop = kubectl.get(LOOPS, name, namespace)
    if loop is not None:
        return _loop(loop, namespace, style, now)
    run = kubectl.get(RUNS, name, namespace)
    if run is None:
        raise KubectlError(f"there is no FeedbackLoop and no ImprovementRun {name} in this namespace")
    return run_lines(run, style, now, kubectl.get(LOOPS, run["spec"]["loopName"], namespace))


def _loop(loop: Json, namespace: str, style: Style, now: datetime) -> list[str]:
    """With the run that is under way, or the last one that is still there."""
    status = loop.get("status", {})
    last = next((r["name"] for r in status.get("runs", ())), None)
    name = status.get("activeRunName") or last
    run = kubectl.get(RUNS, name, namespace) if name else None
    lines = loop_lines(loop, style, now)
    return [*lines, "", *run_lines(run, style, now, loop)] if run is not None else lines
