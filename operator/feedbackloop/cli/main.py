"""`feedbackloop …`: one sub-command a module, each with `register(commands)`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from feedbackloop.cli import actions, badrows, explain, imports, keys, ledger, model, replay, rollback, simulate, status


class Commands(Protocol):
    """What argparse gives to add sub-commands to."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


Register = Callable[[Commands], None]
REGISTERED: tuple[Register, ...] = (
    status.register,
    actions.register,
    rollback.register,
    explain.register,
    replay.register,
    simulate.register,
    model.register,
    imports.register,
    badrows.register,
    keys.register,
    ledger.register,
)
PLUGIN = "kubectl-feedbackloop"
"""Under this name kubectl finds the command as its plug-in."""


def parser() -> argparse.ArgumentParser:
    name = "kubectl feedbackloop" if Path(sys.argv[0]).name == PLUGIN else "feedbackloop"
    root = argparse.ArgumentParser(prog=name, description="Tools of the FeedbackLoop operator.")
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for register in REGISTERED:
        register(commands)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    wanted = parser().parse_args(argv)
    code: int = wanted.run(wanted)
    return code


if __name__ == "__main__":
    sys.exit(main())
