"""`feedbackloop replay RUN`: the recorded observations of a rollout through the same code, byte for byte the same?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedbackloop import __version__
from feedbackloop.api import LABEL_REPLAY
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.cli import kubectl
from feedbackloop.cli.kubectl import RUNS, KubectlError
from feedbackloop.cli.view.replay import timeline
from feedbackloop.domain.replay import tape
from feedbackloop.domain.replay.check import Difference, Replayed, against, lines, replay

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

IDENTICAL, DIFFERS, UNREADABLE = 0, 1, 2
RUN_FILE, RECORD_FILE = "run.json", "frames.jsonl"


def register(commands: Commands) -> None:
    command = commands.add_parser("replay", help="decide a run's rollout again from its record, and compare")
    command.description = (
        "Exit code 0: every decision comes out as it was recorded, byte for byte, and the run's status is what follows;"
        " 1: the first difference is named; 2: there is no record, or it cannot be read."
    )
    command.add_argument("name", nargs="?", default="", metavar="RUN", help="an ImprovementRun with a rollout")
    command.add_argument("-n", "--namespace", default="", help="the run's namespace (kubectl's current one)")
    command.add_argument("--save", type=Path, metavar="DIR", help="also write run.json and frames.jsonl there")
    command.add_argument("--offline", type=Path, metavar="DIR", help="what --save wrote: no cluster is asked")
    command.add_argument("-o", "--output", choices=("text", "json"), default="text")
    command.set_defaults(run=_replay)


@dataclass(frozen=True)
class Recorded:
    """A run and its record."""

    run: dict[str, Any]
    text: str

    @property
    def name(self) -> str:
        return str(self.run.get("metadata", {}).get("name", ""))


def _replay(wanted: argparse.Namespace) -> int:
    try:
        recorded = _of_folder(wanted.offline) if wanted.offline else _of_cluster(wanted.name, wanted.namespace)
        status = ImprovementRunStatus.model_validate(recorded.run.get("status") or {})
    except (KubectlError, OSError, ValueError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return UNREADABLE
    if wanted.save:
        _save(recorded, wanted.save)
    replayed = replay(lines(recorded.text))
    found = against(replayed, status)
    shown = json.dumps(document(replayed, found)) if wanted.output == "json" else "\n".join(told(replayed, found))
    print(shown)
    return DIFFERS if found is not None else IDENTICAL


def told(replayed: Replayed, found: Difference | None) -> Iterator[str]:
    """The timeline, and the verdict."""
    yield from timeline(replayed)
    yield ""
    others = [version for version in replayed.versions if version != __version__]
    if others:
        yield f"recorded by version {', '.join(others)}; replayed by {__version__}, whose rules may be others"
    if found is None:
        yield f"identical: {len(replayed.steps)} decisions came out as they were recorded, byte for byte"
    else:
        yield f"different: frame {found.n} of {found.at or 'an unknown time'}: {found.what}"


def document(replayed: Replayed, found: Difference | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "identical": found is None,
        "frames": len(replayed.steps),
        "decisions": [record.to_wire() for record in replayed.records],
        "difference": None if found is None else {"frame": found.n, "at": found.at, "what": found.what},
        "versions": list(replayed.versions),
    }


def _of_cluster(name: str, namespace: str) -> Recorded:
    if not name:
        raise KubectlError("name the run: feedbackloop replay RUN")
    run = kubectl.get(RUNS, name, namespace)
    if run is None:
        raise KubectlError(f"there is no ImprovementRun {name}")
    uid = run["metadata"]["uid"]
    asked = ("get", "configmaps", "-l", f"{LABEL_REPLAY}={uid}", "-o", "json")
    parts = tape.parts(json.loads(kubectl.run(*asked, namespace=namespace))["items"], uid)
    if not parts:
        raise KubectlError(f"run {name} has no record: its rollout has not begun")
    return Recorded(run, "".join(part.text for part in parts))


def _of_folder(folder: Path) -> Recorded:
    run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text())
    return Recorded(run, (folder / RECORD_FILE).read_text())


def _save(recorded: Recorded, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).write_text(json.dumps(recorded.run, indent=1))
    (folder / RECORD_FILE).write_text(recorded.text)
