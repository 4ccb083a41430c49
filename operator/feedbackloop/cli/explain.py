"""`feedbackloop explain gate RUN`: every verdict of a run, computed again from what was stored."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feedbackloop.cli import kubectl
from feedbackloop.cli.explain_sources import Files, UnreadableError, of_folder, of_store
from feedbackloop.cli.kubectl import RUNS, KubectlError
from feedbackloop.cli.status import style_of
from feedbackloop.cli.view.gate import gate_lines
from feedbackloop.cli.view.text import Style
from feedbackloop.domain.gates.recomputing import Recomputed, recompute

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

AGREE, DISAGREE, UNREADABLE = 0, 1, 2


def register(commands: Commands) -> None:
    explain = commands.add_parser("explain", help="why something was decided, recomputed from what was stored")
    verbs = explain.add_subparsers(metavar="WHAT", required=True)
    gate = verbs.add_parser(
        "gate",
        help="the verdicts of a run's gates: their numbers, their items, and whether they follow from them",
        description="Exit code 0: every verdict follows from its stored rows; 1: one does not; 2: they cannot be read."
        " Credentials of the S3 endpoint come from the environment or a profile.",
    )
    gate.add_argument("name", metavar="RUN", help="an ImprovementRun; with --offline also the evaluation's run id")
    gate.add_argument("--gate", default="", help="only this one")
    gate.add_argument("-n", "--namespace", default="", help="the run's namespace (kubectl's current one)")
    gate.add_argument("--endpoint-url", default="", help="the S3 endpoint of the loop's storage, as seen from here")
    gate.add_argument("--region", default="us-east-1")
    gate.add_argument(
        "--offline", type=Path, metavar="DIR", help="a copy of runs/<evaluate run id>/, no cluster needed"
    )
    gate.add_argument("-o", "--output", choices=("text", "json"), default="text")
    gate.set_defaults(run=_gate)


def _gate(wanted: argparse.Namespace) -> int:
    try:
        files = _files(wanted)
        found = recomputed(files, wanted.gate)
    except (UnreadableError, KubectlError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return UNREADABLE
    shown = json.dumps(as_json(files, found)) if wanted.output == "json" else text(files, found, style_of(sys.stdout))
    print(shown)
    return AGREE if _sound(files, found) else DISAGREE


def _sound(files: Files, found: list[Recomputed]) -> bool:
    return not files.problems and all(one.agrees for one in found)


def _files(wanted: argparse.Namespace) -> Files:
    if wanted.offline is not None:
        return of_folder(wanted.offline, wanted.name)
    if not wanted.endpoint_url:
        raise UnreadableError("give --endpoint-url (the loop's S3), or --offline with a copy of the run's folder")
    body = kubectl.get(RUNS, wanted.name, wanted.namespace)
    if body is None:
        raise UnreadableError(f"there is no ImprovementRun {wanted.name} in this namespace")
    return of_store(body, wanted.endpoint_url, wanted.region)


def recomputed(files: Files, only: str = "") -> list[Recomputed]:
    """Every gate that the run, the result or a document knows of. Raises UnreadableError when there is none."""
    names = [name for name in files.gates if only in ("", name)]
    if not names:
        known = ", ".join(files.gates) or "none"
        raise UnreadableError(f"{files.place}: there is no gate{f' {only}' if only else ''}; known are {known}")
    return [
        recompute(name, files.documents.get(name), files.digests.get(name), files.verdicts.get(name)) for name in names
    ]


def text(files: Files, found: list[Recomputed], style: Style) -> str:
    blocks = ["\n".join(gate_lines(one, style)) for one in found]
    good = sum(one.agrees for one in found)
    mark = style.mark("done" if _sound(files, found) else "failed")
    summary = f"{mark} {good} of {len(found)} verdicts follow from their rows ({files.place})"
    return "\n\n".join([*blocks, "\n".join([summary, *files.problems])])


def as_json(files: Files, found: list[Recomputed]) -> dict[str, object]:
    """The same for a program."""
    return {
        "place": files.place,
        "problems": list(files.problems),
        "gates": [
            {
                "name": one.name,
                "agrees": one.agrees,
                "problems": list(one.problems),
                "evidenceDigest": one.evidence.digest if one.evidence else None,
                "verdict": one.evidence.verdict.to_wire() if one.evidence else None,
            }
            for one in found
        ],
    }
