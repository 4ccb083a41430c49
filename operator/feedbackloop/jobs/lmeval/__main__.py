"""`python -m feedbackloop.jobs.lmeval DIRECTORY TASK INTO`: the child of `running.evaluate`."""

import os
import sys
from pathlib import Path

import msgspec

from feedbackloop.jobs.lmeval.harness import FailedError, score
from feedbackloop.jobs.lmeval.running import TASKS, Scored


def main(directory: str, task: str, into: str) -> None:
    try:
        scored = score(Path(directory), task, os.environ.get(TASKS, ""))
    except FailedError as error:
        scored = Scored(error=str(error), invalid=error.invalid)
    Path(into).write_bytes(msgspec.json.encode(scored))


if __name__ == "__main__":
    main(*sys.argv[1:])
