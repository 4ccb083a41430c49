"""Write the golden set: `python -m examples.support_bot.golden golden.jsonl [world.json]`.

240 items, ten held-out questions for each fact, with the answers that are true in the given world.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from examples.support_bot import phrasings
from examples.support_bot.facts import FACTS, TODAY, World, load_world


def items(world: World = TODAY) -> Iterator[dict[str, Any]]:
    """The items, in the format of golden sets."""
    for fact in FACTS:
        for number, question in enumerate(phrasings.golden(fact)):
            yield {
                "id": f"{fact.topic}-{number}",
                "topic": fact.topic,
                "messages": [{"role": "user", "content": question}],
                "answers": [world[fact.topic]],
                "match": list(fact.names),
            }


def render(world: World = TODAY) -> bytes:
    """The file: one line an item."""
    return "".join(json.dumps(item, sort_keys=True) + "\n" for item in items(world)).encode()


def main(arguments: list[str]) -> None:
    """Write the file and print its digest."""
    data = render(load_world(Path(arguments[1])) if len(arguments) > 1 else TODAY)
    Path(arguments[0]).write_bytes(data)
    print(f"sha256:{hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1:])
