"""Run by the interpreter of the `named` environment: what the second stage finds in texts.

Reads one JSON string a line; prints the model, then a list of `[start, end]` a line.
"""

from __future__ import annotations

import json
import sys

from feedbackloop.api.collection import Named
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.jobs.named.choosing import choose
from feedbackloop.jobs.named.pieces import find


def main() -> None:
    texts = [json.loads(line) for line in sys.stdin]
    engine = choose(Named.BEFORE_TRAINING)
    assert not isinstance(engine, NamedEntities), engine.message
    print(engine.model)
    for found in find(engine, texts):
        print(json.dumps([[each.start, each.end] for each in found]))


if __name__ == "__main__":
    main()
