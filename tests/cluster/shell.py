"""Running tools, telling the user, and JSON files: the few helpers every module needs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.errors import CommandError


def say(message: str) -> None:
    """Tell the user; on standard error, since standard output is for what a script would read."""
    print(message, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> str:
    """The tool's standard output; raises CommandError with everything it said unless `check` is off."""
    words = [str(word) for word in argv]
    environment = {**os.environ, **(env or {})}
    done = subprocess.run(words, input=stdin, env=environment, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise CommandError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Whether the tool exits with 0."""
    words = [str(word) for word in argv]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def read_json(path: Path, default: Any) -> Any:
    """The file's content, or `default` when there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return default


def write_json(path: Path, content: Any) -> None:
    """Write atomically: a reader, or a kill, never sees half a file."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, content: str) -> None:
    """Write atomically, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(content)
    partial.replace(path)
